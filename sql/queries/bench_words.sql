-- Texts of 40 to 120 words of a vocabulary whose frequencies follow Zipf's law: word n is 1 / n as frequent as the first
SELECT pg_catalog.string_agg(pg_catalog.concat('w', pg_catalog.floor(pg_catalog.exp(
        pg_catalog.random() OPERATOR(pg_catalog.*) pg_catalog.ln({vocabulary}::double precision)))), ' ')
FROM pg_catalog.generate_series(1, (40 OPERATOR(pg_catalog.+) ((i OPERATOR(pg_catalog.*) 37) OPERATOR(pg_catalog.%) 81)))
