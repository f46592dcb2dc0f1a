"""Images with captions from a CSV file."""

import numpy as np
import pytest

from keras_contrastive.data import CaptionedImages

image_module = pytest.importorskip("PIL.Image")

LINES = [("a/0.png", "zero"), ("1.png", "one"), ("a/0.png", "nought"), ("2.png", "two")]


def lengths(texts):
    return np.array([[len(text)] for text in texts])


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a").mkdir()
    for number, name in enumerate(("a/0.png", "1.png", "2.png")):
        image_module.fromarray(np.full((6, 9, 3), number, "uint8")).save(tmp_path / name)
    return tmp_path


def write(folder, lines=LINES, header="image,caption"):
    file = folder / "captions.csv"
    file.write_text("\n".join([header, *(",".join(line) for line in lines)]), encoding="utf8")
    return file


def make(folder, *args, **kwargs):
    return CaptionedImages(write(folder, *args), 4, lambda texts: np.array(texts), **kwargs)


def passes(data, epochs):
    for _ in range(epochs):
        for i in range(len(data)):
            ((images, texts),) = data[i]
            yield from zip(images[:, 0, 0, 0].tolist(), texts.tolist(), strict=True)
        data.on_epoch_end()


def test_captions_belong_to_their_images(folder):
    data = make(folder, batch_size=2)
    seen = [*passes(data, 12)]
    assert set(seen) == {(0, "zero"), (0, "nought"), (1, "one"), (2, "two")}
    for start in range(0, len(seen), 3):  # each image once an epoch
        assert sorted(image for image, _ in seen[start : start + 3]) == [0, 1, 2]
    assert seen == [*passes(make(folder, batch_size=2), 12)]
    assert seen != [*passes(make(folder, batch_size=2, seed=1), 12)]


def test_captions_are_drawn_anew_in_every_epoch_in_whatever_order(folder):
    seen = {*passes(make(folder, batch_size=3, shuffle=False), 12)}
    assert {(0, "zero"), (0, "nought")} <= seen


def test_what_retrieval_takes(folder):
    data = make(folder)
    assert data.captions == ["zero", "one", "nought", "two"]
    assert data.image_of_text.tolist() == [0, 1, 0, 2]
    images = data.load_images()
    assert images.shape == (3, 4, 4, 3)
    assert images[:, 0, 0, 0].tolist() == [0, 1, 2]


def test_other_columns_and_tokens(folder):
    file = write(folder, header="file,text")
    data = CaptionedImages(
        file, (4, 5), lengths, image_column="file", caption_column="text", shuffle=False, threads=0
    )
    ((images, token_ids),) = data[0]
    assert images.shape == (3, 4, 5, 3)
    assert token_ids[1:].tolist() == [[3], [3]]
    with pytest.raises(ValueError, match=r"columns 'image' and 'caption'.*\['file', 'text'\]"):
        CaptionedImages(file, 4, lengths)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "lines below the header"),
        ([*LINES, ("3.png", "three")], "1 that do not, the first of which is .*3.png"),
        ([*LINES, ("1.png", " ")], "none for 1.png, number 5"),
        ([*LINES, ("1.png",)], "none for 1.png, number 5"),
        ([*LINES, ("1.png", "one", " uno")], "at number 5 .*double quotes"),
    ],
)
def test_nonsense_is_refused(folder, lines, message):
    with pytest.raises(ValueError, match=message):
        make(folder, lines)


def test_a_damaged_image_is_named(folder):
    (folder / "1.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"readable image. Received: .*1.png"):
        make(folder).load_images()
    with pytest.raises(ValueError, match="does not exist"):
        CaptionedImages(folder / "other.csv", 4, lengths)
