"""Pictures and their captions, `photos/captions.csv`, to a classifier that has seen no label."""

import keras

import keras_contrastive as kc

tokenizer = kc.encoders.ByteTokenizer(max_length=64)
pairs = kc.data.CaptionedImages("photos/captions.csv", 32, tokenizer, batch_size=64)

crop = kc.augmentation.RandomResizedCrop(32, scale=(0.5, 1.0))
method = kc.CLIP(
    kc.encoders.small_resnet(input_shape=(32, 32, 3)),  # or any Keras model of images
    kc.encoders.text_transformer(max_length=64),  # or any of token ids
    augmentation=kc.augmentation.Views([crop]),
    tokenizer=tokenizer,
)
optimizer = keras.optimizers.AdamW(1e-3, weight_decay=0.1)
optimizer.exclude_from_weight_decay(var_names=["log_scale"])
method.compile(optimizer)
method.fit(pairs, epochs=5)
method.save("clip.keras")

z_image = method.embed_images(pairs.load_images())
z_text = method.embed_texts(pairs.captions)
found = kc.evaluation.retrieval(z_image, z_text, pairs.image_of_text, ks=[1, 2])

classifier = method.zero_shot_classifier(["cat", "dog"], ["a {}.", "a photo of a {}."])
classifier.save("cat_or_dog.keras")
