"""The reader of any folder of images: order, modes, sizes, and what is refused."""

import hashlib
import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torchvision.datasets import ImageFolder

from stages.common import images
from stages.common.base.errors import InputError
from stages.download import folder

RED, GREEN, WHITE = (255, 0, 0), (0, 255, 0), (255, 255, 255)


@pytest.fixture
def tree(project):
    """Make two classes, `cat` and `dog`, of four plain images each."""
    for number, name in enumerate(("cat", "dog")):
        for index in range(4):
            plain(f"photos/{name}/{index}.png", (number, index, 0))
    return project / "photos"


def plain(path, colour=RED, size=(96, 96)) -> Path:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)
    return Path(path)


def images_of(path, per_class=None):
    source = folder.open_source(str(path), per_class)
    return source, np.stack([image for image, _ in source.images])


def decoded(image: Image.Image, kind="png", **options) -> np.ndarray:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    result = images.decode(buffer.getvalue())
    assert result.shape == (96, 96, 3) and result.dtype == np.uint8
    return result


def failure(path) -> str:
    with pytest.raises(InputError) as caught:
        images_of(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_classes_and_images_are_those_of_torchvision(tree):
    plain("photos/cat/deep/er/x.png", GREEN)
    plain("elsewhere/0.png")
    Path("photos/dog/more").symlink_to("../../elsewhere")
    Path("photos/notes.txt").write_text("no class")
    Path("photos/cat/notes.txt").write_text("no image")
    reference = ImageFolder(tree)
    source, images = images_of(tree)
    assert source.classes == reference.classes == ["cat", "dog"]
    assert source.labels.tolist() == reference.targets and source.labels.dtype == np.uint8
    assert np.array_equal(images, np.stack([np.asarray(image) for image, _ in reference]))


def test_order_is_that_of_the_characters(project):
    names = ["b.png", "B.png", "a10.png", "a2.png", "ä.png", "a/z.png", "a-.png", "Z.PNG"]
    for number, name in enumerate(names):
        plain(f"photos/x/{name}", (number, 0, 0))
    plain("photos/y/0.png", GREEN)
    _, images = images_of("photos")
    order = [names[index] for index in images[:-1, 0, 0, 0]]
    assert order == ["B.png", "Z.PNG", "a-.png", "a/z.png", "a10.png", "a2.png", "b.png", "ä.png"]


def test_hidden_files_and_folders_are_left_out(tree):
    before, _ = images_of(tree)
    for name in (".hidden", "cat/.thumbnails", "@eaDir", "cat/@eaDir", "__MACOSX"):
        plain(tree / name / "0.png")
    plain(tree / "cat/._0.png")
    after, images = images_of(tree)
    assert after.classes == before.classes and len(images) == 8
    assert after.checksums == before.checksums


def test_per_class_leaves_the_others_unread(tree):
    (tree / "cat/1.png").write_bytes(b"broken")
    source, images = images_of(tree, per_class=2)
    assert images[:, 0, 0, 1].tolist() == [0, 2, 0, 2]
    assert source.labels.tolist() == [0, 0, 1, 1]


def test_checksum_covers_names_and_contents(tree):
    total = hashlib.sha256()
    for file in sorted(tree.rglob("*.png")):
        digest = hashlib.sha256(file.read_bytes()).digest()
        total.update(str(file.relative_to(tree)).encode() + b"\0" + digest)
    source, _ = images_of(tree)
    assert source.checksums == {"images": f"sha256:{total.hexdigest()}"}
    (tree / "dog/3.png").rename(tree / "dog/4.png")
    assert images_of(tree)[0].checksums != source.checksums


def test_image_of_the_right_size_keeps_its_pixels():
    pixels = np.random.default_rng(0).integers(0, 256, (96, 96, 3), np.uint8)
    assert np.array_equal(decoded(Image.fromarray(pixels)), pixels)


@pytest.mark.parametrize("size", [(1, 1), (97, 96), (300, 100), (100, 301), (1, 500), (2000, 1500)])
def test_other_sizes_keep_the_centre(size):
    image = Image.new("RGB", size, GREEN)
    side = min(size)
    left, top = (size[0] - side) // 2, (size[1] - side) // 2
    image.paste(RED, (left, top, left + side, top + side))
    assert (decoded(image) == RED).all()


@pytest.mark.parametrize("value, expected", [(0, 0), (257 * 100, 100), (65535, 255), (300, 1)])
@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_sixteen_bits_are_scaled(value, expected, kind):
    image = Image.fromarray(np.full((96, 96), value, np.uint16))
    assert (decoded(image, kind) == expected).all()


def test_transparency_is_laid_on_white():
    half = decoded(Image.new("RGBA", (96, 96), (255, 0, 0, 128)))
    assert np.abs(half.astype(int) - (255, 127, 127)).max() <= 1
    assert (decoded(Image.new("RGBA", (200, 100), (9, 9, 9, 0))) == 255).all()
    assert (decoded(Image.new("LA", (96, 96), (0, 0))) == 255).all()
    keyed = Image.new("RGB", (96, 96), GREEN)
    keyed.paste(RED, (0, 0, 48, 96))
    result = decoded(keyed, transparency=GREEN)
    assert (result[:, :48] == RED).all() and (result[:, 48:] == WHITE).all()


@pytest.mark.parametrize("kind", ["png", "gif"])
def test_palette_with_and_without_transparency(kind):
    image = Image.new("P", (96, 96), 1)
    image.putpalette([*GREEN, *RED])
    image.paste(0, (0, 0, 48, 96))
    result = decoded(image, kind)
    assert (result[:, :48] == GREEN).all() and (result[:, 48:] == RED).all()
    result = decoded(image, kind, transparency=0)
    assert (result[:, :48] == WHITE).all() and (result[:, 48:] == RED).all()


# where the pixel of the file's top left corner lies once the image is upright
CORNERS = {
    1: (0, 0),
    2: (0, -1),
    3: (-1, -1),
    4: (-1, 0),
    5: (0, 0),
    6: (0, -1),
    7: (-1, -1),
    8: (-1, 0),
}


@pytest.mark.parametrize("orientation", CORNERS)
@pytest.mark.parametrize("kind", ["png", "jpeg"])
def test_exif_orientation(orientation, kind):
    image = Image.new("RGB", (96, 96), WHITE)
    image.paste(RED, (0, 0, 32, 16))
    exif = Image.Exif()
    exif[0x0112] = orientation
    result = decoded(image, kind, exif=exif).astype(int)
    row, column = CORNERS[orientation]
    red = np.abs(result - RED).max(axis=2) < 60
    assert red[row, column] and red.sum() == pytest.approx(32 * 16, rel=0.2)
    lies = orientation <= 4
    assert red.any(axis=0).sum() == pytest.approx(32 if lies else 16, abs=4)


def test_folder_that_is_not_there(project):
    assert f"{project / 'nowhere'} is not there" in failure("nowhere")
    assert f"{project.parent / 'nowhere'} is not there" in failure("../nowhere")


def test_too_many_classes(project):
    for number in range(257):
        Path(f"photos/{number}").mkdir(parents=True)
    assert "has 257 subfolders" in failure("photos")


def test_class_without_images(tree):
    (tree / "emu").mkdir()
    (tree / "emu/notes.txt").write_text("none yet")
    assert f"{tree / 'emu'} holds no image" in failure(tree)


@pytest.mark.parametrize(
    "name", ["a\nb", os.fsdecode(b"\xff"), "\u202etac", "cat\u200b", "cat ", "=1+1", "cat;@SUM(A1)"]
)
def test_class_name_that_cannot_be_shown_as_it_is(tree, name):
    (tree / name).mkdir()
    message = failure(tree)
    assert message.isprintable() and str(tree) in message and "rename the folder" in message


def test_class_names_that_look_alike(tree):
    for name in ("caf\u00e9", "cafe\u0301"):
        (tree / name).mkdir()
    assert f"{tree}: 'cafe\\u0301' and 'caf\\xe9' look alike: rename one" in failure(tree)


@pytest.mark.parametrize("kind", ["png", "jpeg", "bmp", "tiff", "webp", "ppm", "gif"])
@pytest.mark.parametrize("share", [0, 0.01, 0.6])
def test_broken_image_is_named(tree, kind, share):
    pixels = np.random.default_rng(0).integers(0, 256, (96, 96, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    content = buffer.getvalue()
    (tree / "dog/2.png").write_bytes(content[: int(len(content) * share)])
    message = failure(tree)
    assert str(tree / "dog/2.png") in message and "BytesIO" not in message


def test_all_broken_images_are_named_at_once_up_to_twenty(tree):
    (tree / "dog/2.png").write_bytes(b"")
    for number in range(22):
        (tree / f"cat/b{number:02}.png").write_bytes(b"")
    message = failure(tree)
    assert all(f"cat/b{number:02}.png is" in message for number in range(20))
    assert message.startswith("23 images") and message.endswith("; and 3 more")


@pytest.mark.parametrize("name", ["x.jfif", "x.jpe", "x.JPEG", "x", "x.txt", "x.heic"])
@pytest.mark.parametrize("kind", ["jpeg", "png", "gif", "bmp", "tiff", "webp", "ppm"])
def test_an_image_is_one_by_its_content_whatever_its_name(tree, name, kind):
    Image.new("RGB", (96, 96), WHITE).save(tree / "cat" / name, kind)
    _, images = images_of(tree)
    assert len(images) == 9 and (images[4] == 255).all()


def test_what_is_left_out_is_counted_by_kind(tree, capsys):
    heic = b"\0\0\0\x18ftypheic" + bytes(100)
    contents = {"cat/a.HEIC": heic, "dog/b.jpg": heic, "0.png": (tree / "cat/0.png").read_bytes()}
    contents |= {"cat/P1": b"P1 is a text", "dog/BMW": b"BMW 3 is one, too", "labels.csv": b""}
    for name, content in contents.items():
        (tree / name).write_bytes(content)
    plain(tree / "dog/c.dng.tiff").rename(tree / "dog/c.dng")
    assert len(images_of(tree)[1]) == 8
    assert capsys.readouterr().out.splitlines()[0] == (
        "left out: 2 HEIC (convert to JPEG), 1 camera raw (convert to JPEG), "
        "1 loose image beside the classes, 3 other files"
    )
    for file in (tree / "dog").glob("*.png"):
        file.unlink()
    assert "dog holds no image, only 1 HEIC (convert to JPEG), 1 camera raw" in failure(tree)


def test_links_are_followed_and_loops_end(tree):
    plain("elsewhere/0.png", WHITE)
    for name, target in {"up": "..", "self": "self", "more": "../../elsewhere"}.items():
        (tree / "cat" / name).symlink_to(target)
    (tree / "emu").symlink_to("../elsewhere")
    source, images = images_of(tree)
    # the folder above has both classes
    assert np.bincount(source.labels).tolist() == [4 + 4 + 1, 4, 1]
    assert len(images) == 14


@pytest.mark.parametrize("link", ["emu", "cat/more", "cat/9.png"])
def test_links_into_what_the_pipeline_writes_are_refused(tree, link):
    target = plain("plots/q1/0.png")
    (tree / link).symlink_to((target if link.endswith("png") else target.parent).absolute())
    # whatever lies beside it
    (target.parent / "1.png").symlink_to(plain("elsewhere/0.png").absolute())
    assert "in or above plots" in failure(tree)


def parts(root, *names, classes=("cat", "dog")):
    for part in names:
        for number, name in enumerate(classes):
            for index in range(2):
                plain(f"{root}/{part}/{name}/{index}.png", (len(part), number, index))


@pytest.mark.parametrize(
    ("names", "order"),
    [
        (("train", "val", "test"), ("train", "val", "test")),
        (("TESTING", "Training", "Validation"), ("Training", "Validation", "TESTING")),
        (("train_images", "test-images", "valid"), ("train_images", "valid", "test-images")),
        (("seg_train", "seg_test"), ("seg_train", None, "seg_test")),
        (("train2017", "val2017"), ("train2017", None, "val2017")),
    ],
)
def test_parts_above_the_classes_are_the_split(project, names, order):
    parts("photos", *names)
    source, images = images_of("photos")
    expected = [
        (len(name), number, index)
        for name in filter(None, order)
        for number in range(2)
        for index in range(2)
    ]
    assert source.classes == ["cat", "dog"] and source.labels.tolist() == [0, 0, 1, 1] * len(names)
    assert [tuple(image[0, 0].tolist()) for image in images] == expected
    groups = zip(("train", "val", "test"), order, strict=True)
    assert source.groups == [(part, 4) for part, name in groups if name]
    assert [count for _, count in images_of("photos", per_class=len(names))[0].groups] == (
        [2] * len(names)
    )


@pytest.mark.parametrize(
    ("names", "extra", "message"),
    [
        (["train", "test"], "train/emu/0.png", "photos/test lacks folders of the classes 'emu'"),
        (["train"], "test/0.png", "photos/test lacks folders of the classes 'cat', 'dog'"),
        ([], "train/0.png test/0.png", "photos/train has 0 subfolders: one for each class"),
        (["train"], "cat/0.png", "has train but nothing for test"),
        (["val", "test"], "", "has val but nothing for train"),
        (["train", "training", "test"], "", "has train and training for train"),
        (["PetImages"], "", r"1 subfolders \(are they in .*/PetImages"),
    ],
)
def test_parts_that_do_not_fit_are_refused(project, names, extra, message):
    parts("photos", *names)
    for name in extra.split():
        plain(f"photos/{name}")
    with pytest.raises(InputError, match=message):
        images_of("photos")


def test_classes_may_be_called_like_parts(project):
    for name in ("train", "test tube", "val thorens", "car"):
        plain(f"photos/{name}/0.png")
    source, _ = images_of("photos")
    assert source.classes == ["car", "test tube", "train", "val thorens"] and not source.groups


def test_link_to_nowhere_is_named(tree):
    (tree / "cat/5.png").symlink_to("nowhere.png")
    assert f"{tree / 'cat/5.png'} is not a readable file" in failure(tree)


def test_pipe_is_not_waited_for(tree):
    os.mkfifo(tree / "cat/5.png")
    assert f"{tree / 'cat/5.png'} is not a readable file" in failure(tree)


@pytest.mark.parametrize("side", [10_000, 60_000])
def test_decompression_bomb(tree, side):
    (tree / "cat/1.png").write_bytes(png_header(side))
    message = failure(tree)
    assert f"{tree / 'cat/1.png'} has more than" in message and "pixels allowed" in message


def png_header(side: int) -> bytes:
    """Make the beginning of a picture that claims a size, and almost no data."""
    size = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", size), (b"IDAT", zlib.compress(bytes(100)))]
    packed = [
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def test_file_too_large_is_not_read(tree):
    with open(tree / "cat/1.png", "wb") as file:
        file.truncate(2**40)
    assert f"{tree / 'cat/1.png'} has {2**40} bytes" in failure(tree)


@pytest.mark.parametrize("mode", ["F", "I"])
def test_pixels_without_a_known_range(tree, mode):
    Image.new(mode, (96, 96), 70_000).save(tree / "cat/1.tiff")
    assert f"{tree / 'cat/1.tiff'} has" in (message := failure(tree)) and "16" in message


@pytest.mark.parametrize("side", [150, 300])
@pytest.mark.parametrize("turn", [0, 1])
def test_stripes_too_fine_for_96_pixels_become_grey(side, turn):
    stripes = np.zeros((side, side, 3), np.uint8)
    stripes[::2] = 254
    shown = decoded(Image.fromarray(np.rot90(stripes, turn))).astype(float)
    assert abs(shown.mean() - 127) < 3 and shown.std() < 30
