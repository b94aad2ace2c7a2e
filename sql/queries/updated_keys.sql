SELECT {new_key} FROM new_rows AS new
WHERE NOT EXISTS (
    SELECT FROM old_rows AS old
    WHERE {same_key} AND {old_content} OPERATOR(pg_catalog.=) {new_content} COLLATE pg_catalog."C"
)
UNION
SELECT {old_key} FROM old_rows AS old WHERE NOT EXISTS (SELECT FROM new_rows AS new WHERE {same_key})
