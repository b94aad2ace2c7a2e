SELECT seq, {key_text} FROM {queue} WHERE attempts = 0 AND seq > $1 ORDER BY seq LIMIT $2 FOR UPDATE SKIP LOCKED
