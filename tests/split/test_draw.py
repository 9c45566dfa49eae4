"""The contact sheet, read back from the figure."""

import numpy as np
from matplotlib import pyplot as plt

from stages.split.draw import GAP, HEAD, SIDE, contact_sheet


def test_a_contact_sheet_shows_the_first_images_of_each_class_and_part():
    labels = np.repeat([0, 1], 9)
    split = np.array((["train"] * 6 + ["val"] * 2 + ["test"]) * 2)
    images = (
        np.full((18, 96, 96, 3), 255, np.uint8)
        - 10 * np.arange(18, dtype=np.uint8)[:, None, None, None]
    )
    figure = contact_sheet(images, labels, split, ["cat", "dog"], "a title")
    texts = {text.get_text(): text for text in figure.axes[0].texts}
    assert list(texts) == [
        "train: 12 images",
        "validation: 4 images",
        "test: 2 images",
        "cat",
        "dog",
    ]
    assert figure.get_suptitle() == "a title"
    (page,) = (image.get_array() for image in figure.images)
    plt.close(figure)
    margin = 20 + 8 * 3
    group = 4 * (SIDE + GAP) + 4 * GAP
    for row, first in enumerate((0, 9)):
        top = HEAD + row * (SIDE + GAP)
        shown = [[0, 1, 2, 3], [6, 7, None, None], [8, None, None, None]]
        for part, members in enumerate(shown):
            for column, member in enumerate(members):
                left = margin + part * group + column * (SIDE + GAP)
                tile = page[top : top + SIDE, left : left + SIDE].astype(int)
                expected = 255 if member is None else 255 - 10 * (first + member)
                assert np.abs(tile - expected).max() <= 4, (row, part, column)
