"""CLIP on pictures and their names: retrieval and classes of combinations that it has not seen.

    python benchmarks/image_text.py --run runs/emoji --json benchmarks/results/image_text.json \
        --preset zoo/clip_small_resnet_emoji

Trains on the emoji of a folder named by KERAS_CONTRASTIVE_DATA. Of every person and hand that comes
in several skin tones, two fifths of the tones are test ("new tone") and one fifth validation; of 24
activities one gender is test in all its tones ("new person"), of 8 more validation. So no name of
the tests is seen in training, and every word of it is. The validation pairs choose the epoch; the
tests are measured after training and choose nothing. An interrupted run goes on where it was.

Beside the trained model stands what can be said without it. "chance": also whatever is known of
the names alone, since an order of them that does not depend on the picture is right at k for k
pictures. "names alone": the most frequent class in the names of training. "nearest picture": the
name of the training picture that differs least, pixel by pixel; its words are compared with those
of the names. "untrained": the same networks before training.
"""

import argparse
import json
import pathlib
import re
import sys
import time

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]

from benchmarks.emoji import SIZE, TESTS, classes_of, load, split  # noqa: E402

TEMPLATES = {
    "skin tone": ("{} skin tone", "person {} skin tone", "raised hand {} skin tone"),
    "gender": ("{}", "{} walking", "{} singer"),
    "activity": ("{}", "man {}", "woman {}", "person {}"),
}
# What makes two measurements the same one.
KEY = ("name", "seed", "task")


# -- the model ----------------------------------------------------------------------------------


def tokenizer_of(names):
    """Words of the names as they are, any other word letter by letter."""
    from keras_contrastive.encoders import SubwordTokenizer

    words = {word for name in names for word in re.findall(r"\w+|[^\w\s]", name.lower())}
    letters = sorted(
        {letter for word in words for letter in word} | {*"abcdefghijklmnopqrstuvwxyz"}
    )
    pieces = [*letters, *(f"##{letter}" for letter in letters), *sorted(words - {*letters})]
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    return SubwordTokenizer.wordpiece([*special, *pieces], max_length=32, strip_accents=False)


def build(seed, names):
    """The networks for pictures of 32 x 32, which knows the words of these names."""
    import keras

    import keras_contrastive as kc

    keras.utils.set_random_seed(seed)
    tokenizer = tokenizer_of(names)
    size = len(json.loads(tokenizer.definition)["model"]["vocab"])
    crop = kc.augmentation.RandomResizedCrop(SIZE, scale=(0.6, 1.0), interpolation="bilinear")
    return kc.CLIP(
        kc.encoders.small_resnet(input_shape=(SIZE, SIZE, 3), widths=(24, 48, 96)),
        kc.encoders.text_transformer(size, max_length=32, dim=64, dropout=0.1),
        augmentation=kc.augmentation.Views([crop]),  # neither flips nor colours: names tell them
        image_projector=lambda dim: kc.layers.clip_projector(dim, 64),
        text_projector=lambda dim: kc.layers.clip_projector(dim, 64),
        tokenizer=tokenizer,
    )


def train(method, images, names, rows, args):
    """Leaves the weights of the best epoch in `args.run` and returns what it took."""
    import keras

    import keras_contrastive as kc
    from keras_contrastive.callbacks.epoch_measurement import EpochMeasurement

    args.run.mkdir(parents=True, exist_ok=True)
    best, score = args.run / "best.weights.h5", args.run / "best.txt"

    class KeepBest(EpochMeasurement):
        """Keeps the weights that find most validation pairs."""

        names = ("recall",)

        def measure(self):
            found = recalls(self.model, images, names, rows["validation"])
            recall = (found["image_to_text_r1"] + found["text_to_image_r1"]) / 2
            if not score.exists() or recall > float(score.read_text()):
                self.model.save_weights(best)
                score.write_text(str(recall))
            return {"recall": recall}

    chosen = rows["train"]
    steps = -(-len(chosen) // args.batch_size)
    rate = kc.optimizers.warmup_cosine(
        args.learning_rate, epochs=args.epochs, steps_per_epoch=steps, warmup_epochs=2
    )
    optimizer = keras.optimizers.AdamW(rate, weight_decay=0.1, beta_2=0.98)
    optimizer.exclude_from_weight_decay(var_names=["log_scale", "bias", "gamma", "beta"])
    method.compile(optimizer, jit_compile=False)
    started = time.perf_counter()
    history = method.fit(
        (images[chosen], [names[row] for row in chosen]),
        batch_size=args.batch_size,
        epochs=args.epochs,
        verbose=2,
        callbacks=[KeepBest(every=5), kc.callbacks.TrainingBackup(args.run / "states")],
    )
    seconds = time.perf_counter() - started
    method.load_weights(best)
    facts = {"epochs": args.epochs, "validation_recall": float(score.read_text())}
    if history.epoch:  # else it was trained before
        facts["seconds_per_epoch"] = round(seconds / len(history.epoch), 2)
    return facts


# -- what is measured ---------------------------------------------------------------------------


def recalls(method, images, names, rows):
    from keras_contrastive import evaluation

    texts = method.embed_texts([names[row] for row in rows])
    return evaluation.retrieval(method.embed_images(images[rows]), texts)


def classify(method, images, category, classes):
    from keras_contrastive.methods.zero_shot import class_embeddings

    directions = class_embeddings(method.embed_texts, classes, TEMPLATES[category])
    return (method.embed_images(images) @ directions.T).argmax(axis=1)


def labelled(names, rows, category):
    """Rows whose names have a class, and the index of it among the classes."""
    found = classes_of([names[row] for row in rows])[category]
    kept = [(row, label) for row, label in zip(rows, found, strict=True) if label is not None]
    classes = sorted({label for _, label in kept})
    labels = np.array([classes.index(label) for _, label in kept])
    return np.array([row for row, _ in kept]), labels, classes


def tasks(names, rows):
    """Retrieval on each test; classes on the test where their combination is new."""
    yield from ((f"retrieval, {part}", rows[part], None) for part in TESTS)
    yield "skin tone", rows["new tone"], "skin tone"
    yield "gender", rows["new person"], "gender"
    yield "activity", rows["new person"], "activity"


def measured(method, images, names, rows):
    """Task -> figures of a model."""
    results = {}
    for task, chosen, category in tasks(names, rows):
        if category is None:
            results[task] = {"pairs": len(chosen), **recalls(method, images, names, chosen)}
        else:
            kept, labels, classes = labelled(names, chosen, category)
            found = classify(method, images[kept], category, classes)
            results[task] = of_classes(found, labels, classes)
    return results


def of_classes(found, labels, classes):
    accuracy = float(np.mean(found == labels))
    return {"images": len(labels), "classes": len(classes), "accuracy": accuracy}


def baselines(images, names, rows):
    """Name -> task -> figures of what needs no training."""
    from keras_contrastive import evaluation

    nearest = nearest_pictures(images, rows)
    results = {name: {} for name in ("chance", "names alone", "nearest picture")}
    for task, chosen, category in tasks(names, rows):
        if category is None:
            count = len(chosen)
            found = {f"{way}_r{k}": k / count for way in WAYS for k in (1, 5, 10)}
            results["chance"][task] = {"pairs": count, **found}
            near = bags([names[nearest[row]] for row in chosen], names)
            found = evaluation.retrieval(near, bags([names[row] for row in chosen], names))
            results["nearest picture"][task] = {"pairs": count, **found}
            continue
        kept, labels, classes = labelled(names, chosen, category)
        seen = classes_of([names[row] for row in rows["train"]])[category]
        most = int(np.argmax([seen.count(name) for name in classes]))
        of_nearest = classes_of([names[nearest[row]] for row in kept])[category]
        near = np.array([classes.index(n) if n in classes else -1 for n in of_nearest])
        chance = of_classes(labels, labels, classes) | {"accuracy": 1 / len(classes)}
        results["chance"][task] = chance
        results["names alone"][task] = of_classes(np.full(len(labels), most), labels, classes)
        results["nearest picture"][task] = of_classes(near, labels, classes)
    return results


WAYS = ("image_to_text", "text_to_image")


def nearest_pictures(images, rows):
    """Row of a test -> the row of the training picture that is nearest in its pixels."""
    pixels = images.reshape(len(images), -1).astype("float32") / 255
    train = pixels[rows["train"]]
    squares = np.sum(train**2, axis=1)
    chosen = np.concatenate([rows[part] for part in TESTS])
    best = np.argmin(squares - 2 * pixels[chosen] @ train.T, axis=1)
    return dict(zip(chosen.tolist(), rows["train"][best].tolist(), strict=True))


def bags(texts, vocabulary):
    """Counts of words."""
    words = {word: i for i, word in enumerate(sorted({w for t in vocabulary for w in t.split()}))}
    counts = np.zeros((len(texts), len(words)), "float32")
    for row, text in zip(counts, texts, strict=True):
        for word in text.split():
            row[words[word]] += 1
    return counts


def halved(array):
    """A kernel as the preset's file rounds it, so that the figures are those of the file."""
    return array.astype("float16").astype("float32") if array.ndim > 1 else array


def save_preset(method, folder, results, facts):
    """The image encoder as every preset has it, and the whole method beside it."""
    import keras_contrastive as kc
    from keras_contrastive.presets.half_precision import halve

    tone, person = (results[f"retrieval, {part}"] for part in TESTS)
    activity = results["activity"]
    note = (
        "CLIP on emoji and their English names (Noto Emoji, names of Unicode CLDR), drawn at "
        "32 x 32. `clip.keras` is the whole method, with the text encoder and its tokenizer: "
        '`keras.saving.load_model("clip.keras")` after `import keras_contrastive`, then '
        "`zero_shot_classifier(classes, templates)`, `embed_images`, `embed_texts`. Of "
        f"{tone['pairs']} pictures of persons and hands in a skin tone that they did not have in "
        f"training, {100 * tone['image_to_text_r1']:.1f} % find their name among all of these; of "
        f"{person['pairs']} whose activity was not seen with this gender, "
        f"{100 * person['image_to_text_r1']:.1f} %. Of the latter "
        f"{100 * activity['accuracy']:.1f} % are given the right one of {activity['classes']} "
        "activities, zero-shot. docs/clip.md has this beside what needs no training."
    )
    limits = (
        "It knows drawn pictures of one style and the words of their names; photos are beyond it."
    )
    figures = {"method": "clip", "encoder": "small_resnet", "data": "emoji", "num_classes": 10}
    figures["learns_from"] = "the names of its images"
    figures |= {"note": note, "limits": limits, "tests": results, **facts}
    kc.save_to_preset(method, folder, results=figures, weights_dtype="float16")
    method.save(folder / "clip.keras")
    halve(folder / "clip.keras")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=pathlib.Path, default=pathlib.Path("runs/emoji"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=121)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--preset", type=pathlib.Path, help="a folder to write the model to")
    parser.add_argument("--validate", action="store_true", help="leave the tests alone")
    args = parser.parse_args()

    from benchmarks.rows import merge, read, write
    from keras_contrastive.cli import machine

    images, names = load()
    rows = split(names)
    print({part: len(chosen) for part, chosen in rows.items()})
    known = [names[row] for row in rows["train"]]
    untrained, trained, method = (build(args.seed, known) for _ in range(3))
    facts = train(method, images, names, rows, args)
    trained.set_weights([halved(array) for array in method.get_weights()])
    print(facts)
    if args.validate:
        return
    facts |= {
        "seed": args.seed,
        "weights": trained.count_params(),
        "hardware": machine.hardware(),
        "versions": machine.versions(),
        **{f"num_{part.replace(' ', '_')}": len(chosen) for part, chosen in rows.items()},
    }
    found = baselines(images, names, rows)
    found["untrained"] = measured(untrained, images, names, rows)
    found["CLIP"] = measured(trained, images, names, rows)
    report = read(args.json) if args.json and args.json.exists() else []
    for name, results in found.items():
        trains = name in ("untrained", "CLIP")
        about = facts if name == "CLIP" else {"seed": args.seed if trains else None}
        for task, figures in results.items():
            report = merge(report, {"name": name, "task": task, **about, **figures}, KEY)
    if args.json:
        write(args.json, report)
    print(json.dumps(found, indent=1))
    if args.preset:
        save_preset(trained, args.preset, found["CLIP"], facts)


if __name__ == "__main__":
    main()
