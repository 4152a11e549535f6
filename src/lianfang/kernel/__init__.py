"""Clock, ids, refusals, the actor and signals. No tables, no settings; it knows no other room."""
