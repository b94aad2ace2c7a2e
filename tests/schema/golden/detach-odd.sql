SELECT pgencoder.detach('odd "50%" {$1}');
