INSERT INTO pgencoder.late (collection, key)
SELECT {name}, ARRAY[{key_text}] FROM ({keys}) AS changed({key})
