SELECT g.number FROM {generation} AS g WHERE g.collection OPERATOR(pg_catalog.=) {name} ORDER BY g.number FOR {strength}
