-- To read a passage costs far more than to read that it has a term. So the index is asked for about `budget` passages:
-- for those with a rare term and, of the common terms, for those with several of them, or with strong ones. A passage must
-- have an element of each of three sets, which all contain the rare terms. The common terms are dealt to one, two or
-- three sets. Each set takes their levels (see _bm25), the strongest first, while not too many passages are expected,
-- as if terms were independent. Of the three ways that one is taken which may miss the least score.
-- `counts` has a row for each term: how many passages have it at level 0 or more, 1 or more, ..., 7. The terms at the front
-- count as rare while the budget lasts: so words come by how rare they are, and terms of a sparse model by their weights.
-- `usual` has the usual weight of each level.
CREATE OR REPLACE FUNCTION pgencoder._choose_terms(
    terms int[], impacts double precision[], counts int[], passages double precision, budget double precision,
    usual double precision[], OUT any_1 int[], OUT any_2 int[], OUT any_3 int[], OUT every int[], OUT complete boolean
)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    most CONSTANT int := 16;  -- common terms that are looked at
    room double precision := budget;
    rare int := 0;
    common int := 0;
    typical double precision[];
    -- of the levels of the common terms, the strongest first
    level_terms int[];
    levels int[];
    factors double precision[];
    sets int[];
    lowest int[];
    hits double precision[];
    begun boolean[];
    closed boolean[];
    own int;
    hit double precision;
    expected double precision;
    bound double precision;
    smallest double precision;
    chosen int[];
    chosen_sets int[];
BEGIN
    FOR n IN 1 .. pg_catalog.cardinality(terms) LOOP
        EXIT WHEN counts[n][1] OPERATOR(pg_catalog.>) room;
        room := room OPERATOR(pg_catalog.-) counts[n][1];
        rare := n;
    END LOOP;
    complete := rare OPERATOR(pg_catalog.=) pg_catalog.cardinality(terms);
    every := ARRAY(SELECT ((term OPERATOR(pg_catalog.-) 1) OPERATOR(pg_catalog.<<) 3) OPERATOR(pg_catalog.|) level
        FROM pg_catalog.unnest(terms) AS term, pg_catalog.generate_series(0, 7) AS level);
    IF complete THEN
        any_1 := every;
        any_2 := every;
        any_3 := every;
        RETURN;
    END IF;
    room := greatest(room, budget OPERATOR(pg_catalog./) 2);
    common := least(pg_catalog.cardinality(terms) OPERATOR(pg_catalog.-) rare, most);
    impacts := impacts[rare OPERATOR(pg_catalog.+) 1 : pg_catalog.cardinality(impacts)];
    counts := counts[rare OPERATOR(pg_catalog.+) 1 : rare OPERATOR(pg_catalog.+) common];
    -- what a passage with a good score usually has of each term
    typical := ARRAY(SELECT impacts[n] OPERATOR(pg_catalog.*) usual[greatest(1, (SELECT pg_catalog.max(level)
            FROM pg_catalog.generate_series(1, 8) AS level
            WHERE counts[n][level] OPERATOR(pg_catalog.>=) (0.03 OPERATOR(pg_catalog.*) passages)))]
        FROM pg_catalog.generate_series(1, common) AS n ORDER BY n);
    SELECT pg_catalog.array_agg(n ORDER BY weight DESC, n), pg_catalog.array_agg(level ORDER BY weight DESC, n),
            pg_catalog.array_agg(factor ORDER BY weight DESC, n)
        INTO level_terms, levels, factors
        FROM (
            -- how much rarer it becomes, with this level, that a passage has none of a set
            SELECT n, level, impacts[n] OPERATOR(pg_catalog.*) usual[level],
                greatest(passages OPERATOR(pg_catalog.-) counts[n][level], 0) OPERATOR(pg_catalog./)
                    greatest(passages OPERATOR(pg_catalog.-) coalesce(counts[n][level OPERATOR(pg_catalog.+) 1], 0), 1)
            FROM pg_catalog.generate_series(1, common) AS n, pg_catalog.generate_series(1, 8) AS level
            WHERE counts[n][level] OPERATOR(pg_catalog.>) 0
        ) AS there (n, level, weight, factor);
    FOR many IN 1 .. least(common, 3) LOOP
        -- dealt forth and back, so that the sets are about equally rare
        sets := ARRAY(SELECT CASE WHEN ((n OPERATOR(pg_catalog./) many) OPERATOR(pg_catalog.%) 2) OPERATOR(pg_catalog.=) 0
                THEN (n OPERATOR(pg_catalog.%) many) OPERATOR(pg_catalog.+) 1
                ELSE many OPERATOR(pg_catalog.-) (n OPERATOR(pg_catalog.%) many) END
            FROM pg_catalog.generate_series(0, common OPERATOR(pg_catalog.-) 1) AS n ORDER BY n);
        lowest := pg_catalog.array_fill(9, ARRAY[common]);
        closed := pg_catalog.array_fill(false, ARRAY[common]);
        begun := pg_catalog.array_fill(false, ARRAY[many]);
        hits := pg_catalog.array_fill(
            pg_catalog.power(room OPERATOR(pg_catalog./) passages, 1.0 OPERATOR(pg_catalog./) many), ARRAY[many]);
        FOR i IN 1 .. pg_catalog.cardinality(levels) LOOP
            CONTINUE WHEN closed[level_terms[i]];
            own := sets[level_terms[i]];
            hit := CASE WHEN begun[own] THEN 1 OPERATOR(pg_catalog.-) hits[own] ELSE 1 END;
            hit := 1 OPERATOR(pg_catalog.-) (hit OPERATOR(pg_catalog.*) factors[i]);
            expected := (passages OPERATOR(pg_catalog.*) hit) OPERATOR(pg_catalog./) hits[own];
            FOR each IN 1 .. many LOOP
                expected := expected OPERATOR(pg_catalog.*) hits[each];
            END LOOP;
            IF begun[own] AND expected OPERATOR(pg_catalog.>) room THEN
                closed[level_terms[i]] := true;
            ELSE
                begun[own] := true;
                hits[own] := hit;
                lowest[level_terms[i]] := levels[i];
            END IF;
        END LOOP;
        -- the best score that a passage usually has that lacks one of the sets
        bound := (SELECT pg_catalog.max(score) FROM (
            SELECT pg_catalog.sum(CASE WHEN sets[n] OPERATOR(pg_catalog.<>) own_set THEN typical[n]
                WHEN lowest[n] OPERATOR(pg_catalog.=) 1 THEN 0
                ELSE least(typical[n], impacts[n] OPERATOR(pg_catalog.*) usual[lowest[n] OPERATOR(pg_catalog.-) 1]) END)
            FROM pg_catalog.generate_series(1, many) AS own_set, pg_catalog.generate_series(1, common) AS n
            GROUP BY own_set
        ) AS missed (score));
        IF smallest IS NULL OR bound OPERATOR(pg_catalog.<) (0.98 OPERATOR(pg_catalog.*) smallest) THEN
            smallest := bound;
            chosen := lowest;
            chosen_sets := sets;
        END IF;
    END LOOP;
    SELECT pg_catalog.array_agg(element) FILTER (WHERE own_set OPERATOR(pg_catalog.=) ANY (ARRAY[0, 1])),
            pg_catalog.array_agg(element) FILTER (WHERE own_set OPERATOR(pg_catalog.=) ANY (ARRAY[0, 2])),
            pg_catalog.array_agg(element) FILTER (WHERE own_set OPERATOR(pg_catalog.=) ANY (ARRAY[0, 3]))
        INTO any_1, any_2, any_3
        FROM (
            SELECT ((terms[n] OPERATOR(pg_catalog.-) 1) OPERATOR(pg_catalog.<<) 3) OPERATOR(pg_catalog.|) (level OPERATOR(pg_catalog.-) 1),
                CASE WHEN n OPERATOR(pg_catalog.<=) rare THEN 0 ELSE chosen_sets[n OPERATOR(pg_catalog.-) rare] END
            FROM pg_catalog.generate_series(1, rare OPERATOR(pg_catalog.+) common) AS n,
                pg_catalog.generate_series(1, 8) AS level
            WHERE n OPERATOR(pg_catalog.<=) rare OR level OPERATOR(pg_catalog.>=) chosen[n OPERATOR(pg_catalog.-) rare]
        ) AS taken (element, own_set);
    -- a set that has no common terms would exclude all without a rare one
    any_2 := CASE WHEN 2 OPERATOR(pg_catalog.=) ANY (chosen_sets) THEN any_2 ELSE any_1 END;
    any_3 := CASE WHEN 3 OPERATOR(pg_catalog.=) ANY (chosen_sets) THEN any_3 ELSE any_1 END;
END
$$;
COMMENT ON FUNCTION pgencoder._choose_terms(
    int[], double precision[], int[], double precision, double precision, double precision[]) IS
    'Three sets of elements of terms: a passage with one of each is a candidate; complete: if these are all that match';
