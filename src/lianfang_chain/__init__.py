"""The information chain, pure: signed notes, RFC 6962 tree, tiles, proofs, witness and offline verifier."""
