/**
 * The RFC 6962 Merkle tree: leaf and node hashes, inclusion and consistency.
 *
 * Sizes are numbers up to 2^53, so halves are taken by division and never by the 32-bit shifts.
 */

import { type Bytes, concat, equal } from "../bytes";
import { sha256 } from "./hash";
import { EMPTY_ROOT } from "./note";

/** The hashes do not lead to the root. */
export class NotProved extends Error {}

const LEAF = new Uint8Array([0]);
const NODE = new Uint8Array([1]);

export function leafHash(entry: Uint8Array): Bytes {
  return sha256(concat(LEAF, entry));
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Bytes {
  return sha256(concat(NODE, left, right));
}

const odd = (n: number): boolean => n % 2 === 1;
const half = (n: number): number => Math.floor(n / 2);

/** The root to which the path leads (RFC 9162 §2.1.3.2). It proves nothing until compared. */
export function rootFromInclusion(leaf: Bytes, index: number, size: number, path: readonly Uint8Array[]): Bytes {
  if (!(index >= 0 && index < size)) throw new NotProved(`no leaf ${index} in a tree of ${size}`);
  if (path.some((hash) => hash.length !== 32)) throw new NotProved("a hash has 32 bytes");
  let node = index;
  let last = size - 1;
  let root = leaf;
  for (const sibling of path) {
    if (last === 0) throw new NotProved("too many hashes");
    if (odd(node) || node === last) {
      root = nodeHash(sibling, root);
      while (node !== 0 && !odd(node)) {
        node = half(node);
        last = half(last);
      }
    } else {
      root = nodeHash(root, sibling);
    }
    node = half(node);
    last = half(last);
  }
  if (last !== 0) throw new NotProved("too few hashes");
  return root;
}

/** @throws NotProved: the tree `size` does not begin with the tree `oldSize` */
export function verifyConsistency(
  oldSize: number,
  size: number,
  oldRoot: Uint8Array,
  root: Uint8Array,
  proof: readonly Uint8Array[],
): void {
  if ([oldRoot, root, ...proof].some((hash) => hash.length !== 32)) throw new NotProved("a hash has 32 bytes");
  if (!(oldSize >= 0 && oldSize <= size)) throw new NotProved(`a tree of ${oldSize} does not precede one of ${size}`);
  if (oldSize === 0 || oldSize === size) {
    if (proof.length > 0) throw new NotProved("too many hashes");
    if (oldSize === 0 && !equal(oldRoot, EMPTY_ROOT)) throw new NotProved("the empty tree has one root only");
    if (oldSize === size && !equal(oldRoot, root)) throw new NotProved("one size with two roots");
    return;
  }
  // A complete old tree is its own first node.
  const path = Number.isInteger(Math.log2(oldSize)) ? [oldRoot, ...proof] : [...proof];
  const first = path.shift();
  if (first === undefined) throw new NotProved("too few hashes");
  let node = oldSize - 1;
  let last = size - 1;
  while (odd(node)) {
    node = half(node);
    last = half(last);
  }
  let seenOld = first;
  let seenNew = first;
  for (const sibling of path) {
    if (last === 0) throw new NotProved("too many hashes");
    if (odd(node) || node === last) {
      seenOld = nodeHash(sibling, seenOld);
      seenNew = nodeHash(sibling, seenNew);
      while (node !== 0 && !odd(node)) {
        node = half(node);
        last = half(last);
      }
    } else {
      seenNew = nodeHash(seenNew, sibling);
    }
    node = half(node);
    last = half(last);
  }
  if (last !== 0) throw new NotProved("too few hashes");
  if (!equal(seenOld, oldRoot)) throw new NotProved("the old tree is not the beginning of the new one");
  if (!equal(seenNew, root)) throw new NotProved("the path leads to another root");
}
