"""Pretrain on a folder of images: python pretrain_on_your_own_images.py FOLDER SIZE EPOCHS"""

import sys

import keras

import keras_contrastive as kc

folder, size, epochs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
images = kc.data.load(folder, image_size=size, batch_size=256, labels=False, drop_remainder=True)

keras.utils.set_random_seed(0)
method = kc.SimCLR(
    encoder=kc.encoders.resnet18(input_shape=(size, size, 3), width=0.5),  # or any Keras model
    augmentation=kc.augmentation.simclr_views(size=size, strength=0.5),
)
steps = len(images)
rate = kc.optimizers.warmup_cosine(0.06, epochs=epochs, steps_per_epoch=steps, warmup_epochs=1)
method.compile(kc.optimizers.L2SGD(rate, momentum=0.9, weight_decay=5e-4))
method.fit(
    images,
    epochs=epochs,
    shuffle=False,  # the folder draws an order for every epoch itself
    callbacks=[kc.callbacks.CollapseAlarm(), kc.callbacks.TrainingBackup("backup")],
)
method.save("method.keras")  # heads, optimizer and all: kc.Method.from_preset goes on from it
kc.save_to_preset(method, "my_encoder")  # kc.from_preset("my_encoder"), or its encoder.keras
