"""The steps from a row to its passages.

A row and its passages: the path
--------------------------------
1. Row to key. A trigger writes the key of a changed row into the queue of each generation, in the same transaction.
   Rows that were there before are queued in bulk (`backfill`); `reconcile` finds changes that no trigger saw.
2. Key to claim. A worker takes some keys for a while (`queue.claim`): a `Claim`. The keys stay in the queue.
3. Claim to texts. `Target.read` reads the rows and splits those that have changed (`reading`, `chunking`): a `Batch`
   of passages without vectors. A passage that is stored already keeps its vectors.
4. Texts to vectors. `Target.encode` runs the model (`encoding`). It needs no database: a batch is plain data, and can
   be encoded on another machine.
5. Vectors to passages. `Target.write` removes the keys from the queue and replaces the passages, in one transaction
   (`writing`). A key whose row has changed since the claim stays in the queue, and nothing of it is written.

`queue` argues why nothing is lost and nothing stale stays. `pgencoder.worker` runs these steps. Beside them, `adopt`
takes over vectors that exist already, and `index` builds the index after the rows.
"""
