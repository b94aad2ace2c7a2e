pgencoder.maxsim_pairs({tokens}, passages.tokens)
