SELECT wanted.place, {columns}
FROM {source} AS source JOIN (VALUES {wanted}) AS wanted (place, first, past, {names}) ON {same}
