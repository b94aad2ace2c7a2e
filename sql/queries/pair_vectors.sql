-- One statement is one snapshot; in the order of the keys, so that a row's passages come together
COPY (
    SELECT {key_text}, passage.dense
    FROM {passages} AS passage JOIN {source} AS source ON {source_is_passage}
    ORDER BY {passage_key}, passage.passage
) TO STDOUT (FORMAT binary)
