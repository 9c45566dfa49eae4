"""The contact sheet, read back from the figure."""

import numpy as np
from matplotlib import pyplot as plt

from stages.split.draw import contact_sheet


def test_a_contact_sheet_shows_the_first_images_of_each_class_and_part():
    labels = np.repeat([0, 1], 9)
    split = np.array((["train"] * 6 + ["val"] * 2 + ["test"]) * 2)
    images = (
        np.full((18, 96, 96, 3), 255, np.uint8)
        - 10 * np.arange(18, dtype=np.uint8)[:, None, None, None]
    )
    figure = contact_sheet(images, labels, split, ["cat", "dog"], "a title")
    texts = {text.get_text(): text for text in figure.axes[0].texts}
    headings = ["train: 12 images", "validation: 4 images", "test: 2 images"]
    assert list(texts) == ["cat", "dog", *headings]
    assert figure.get_suptitle() == "a title"
    (page,) = (image.get_array() for image in figure.images)
    plt.close(figure)
    # names of three letters; columns of 68 pixels, or the 20 letters of a heading; gaps of 16
    train = 20 + 3 * 8
    lefts = [train, train + 4 * 68 + 16, train + 4 * 68 + 16 + 20 * 7 + 16]
    for row, first in enumerate((0, 9)):
        top = 54 + row * 68
        shown = [[0, 1, 2, 3], [6, 7], [8]]
        for part, members in enumerate(shown):
            for column, member in enumerate(members):
                left = lefts[part] + column * 68
                tile = page[top : top + 64, left : left + 64].astype(int)
                expected = 255 - 10 * (first + member)
                assert np.abs(tile - expected).max() <= 4, (row, part, column)
    # and nothing else: of the fourteen the first is white itself
    assert np.count_nonzero((page < 255).all(axis=-1)) == 13 * 64 * 64
