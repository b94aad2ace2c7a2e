-- One statement, so that all vectors are of one snapshot; sorted by key, so that the passages of a row come together
COPY (
    SELECT {key_text}, passage.{column}
    FROM {passages} AS passage JOIN {source} AS source ON {source_is_passage}
    ORDER BY {passage_key}, passage.passage
) TO STDOUT (FORMAT binary)
