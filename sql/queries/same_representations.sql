{representations}::pg_catalog.jsonb OPERATOR(pg_catalog.=) (
                SELECT pg_catalog.jsonb_object_agg(r.name, pg_catalog.jsonb_build_array(r.kind, r.dims, r.options))
                FROM pgencoder.representation r
                WHERE r.collection OPERATOR(pg_catalog.=) g.collection AND r.generation OPERATOR(pg_catalog.=) g.number
            )