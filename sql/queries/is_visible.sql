CASE WHEN (SELECT ({source_name}::pg_catalog.regclass OPERATOR(pg_catalog.=) pg_catalog.to_regclass({source_name}))
            IS NOT TRUE) THEN false
        WHEN (SELECT pg_catalog.row_security_active({source_name}::pg_catalog.regclass))
            THEN {visible}({passage_key}, row_hash)
        ELSE EXISTS (SELECT FROM {rows}() AS source ({claim_columns}) WHERE {row_is_passage}) END
