"""What 2 and 10 labels a digit are worth, with an encoder of photos and without."""

import numpy as np

import keras_contrastive as kc

encoder = kc.from_preset("simclr_small_resnet_cifar10")
data = kc.data.load("digits", image_size=32)
images, labels = np.repeat(data.images, 3, axis=-1), data.labels
rest, test = kc.data.train_holdout_split(labels, 0.25, seed=0)
features = kc.evaluation.embed(encoder, images)

accuracies = {}
for fraction in (0.015, 0.075):
    chosen = rest[kc.evaluation.label_subset(labels[rest], fraction, seed=0)]
    linear = kc.evaluation.linear_probe(
        features[chosen], labels[chosen], features[test], labels[test], held_out_fraction=0.5
    )
    trained = kc.evaluation.fine_tune(
        encoder, images[chosen], labels[chosen], images[test], labels[test], fraction=1.0, epochs=30
    )
    accuracies[len(chosen)] = linear.accuracy, trained.fine_tuned, trained.from_scratch
    print(
        f"{len(chosen)} labels: linear {linear.accuracy:.1%}, "
        f"fine-tuned {trained.fine_tuned:.1%}, from scratch {trained.from_scratch:.1%}"
    )
