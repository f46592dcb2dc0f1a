"""Sentences to vectors, and training from sentences alone; `model` is a Hugging Face folder."""

import keras

import keras_contrastive as kc

encoder = kc.encoders.SentenceEncoder.from_hugging_face("model")
sentences = ["A man plays the guitar.", "The cat sits outside.", "A woman eats outside."]
vectors = encoder.encode(sentences)  # (3, D) float32
print(encoder.similarity(["Someone makes music"], sentences).round(2))
print(kc.evaluation.sts(encoder.encode, sentences, sentences[::-1], [1.2, 5.0, 1.3]))

backbone = kc.encoders.SentenceEncoder.from_hugging_face("model", pooling="cls_before_head")
method = kc.SimCSE(backbone)  # the same sentence twice, with another dropout
method.compile(keras.optimizers.AdamW(3e-5))
method.fit(sentences, batch_size=64, epochs=1)

eda = kc.augmentation.EDA({"plays": ["strums"], "eats": ["dines"]}, seed=0)  # nine copies of each
pairs = kc.data.sentence_pairs(sentences, eda(sentences), backbone.tokenizer)
method.fit(pairs, epochs=3)  # a sentence and another of its copies in each epoch
method.encoder.save("sentences.keras")  # weights, readout and tokenizer

scores = [1.2, 5.0, 1.3]  # of pairs, on any scale
ranked = kc.CoSENT(encoder)  # cosines in the order of the scores
ranked.compile(keras.optimizers.AdamW(2e-5))
ranked.fit((sentences, sentences[::-1]), scores, batch_size=32)
hard = kc.data.mine_hard_negatives(vectors, vectors, ranks=(0, 1))  # rows, or -1
