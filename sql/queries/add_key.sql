INSERT INTO pgencoder.collection_key VALUES ({})
