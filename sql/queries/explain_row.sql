CASE WHEN passages.truncated AND passages.row_hash = sha256(convert_to({content}, 'UTF8')) THEN {content} END
