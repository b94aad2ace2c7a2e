SELECT wanted.place::int - 1, passages.dense::real[]
FROM unnest($1::{key_type}[], $2::int[]) WITH ORDINALITY AS wanted (key, passage, place)
JOIN {passages} AS passages ON passages.{key} = wanted.key AND passages.passage = wanted.passage
ORDER BY wanted.place
