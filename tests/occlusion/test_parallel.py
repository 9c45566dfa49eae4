"""Several things at a time: the same numbers as one after the other."""

import threading
import time

import numpy as np
import pytest
import torch

from stages.common import networks
from stages.common.inference import Model
from stages.occlusion import parallel, sensitivity

CPU = torch.device("cpu")


@pytest.fixture(params=[1, 3])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def test_results_come_in_order_whatever_the_number_of_threads(threads):
    network = networks.DeepCNN(4)
    networks.initialise(network, torch.Generator().manual_seed(0))
    model = Model(network.eval(), ["a", "b", "c", "d"])
    images = np.random.default_rng(0).integers(0, 256, (7, 96, 96, 3), dtype=np.uint8)
    graph = sensitivity.take_apart(model)
    seen = set()

    def answers(i):
        seen.add((threading.get_ident(), torch.get_num_threads()))
        time.sleep(0.02 * (7 - i))  # the first ones end last
        clean = sensitivity.clean_image(model, images[i], graph)
        return sensitivity.occluded_logits(model, images[i], 16, 40, clean=clean)

    found = list(parallel.each(answers, range(7), CPU))
    assert len(seen) == threads and {of_torch for _, of_torch in seen} == {1}
    assert torch.get_num_threads() == threads
    torch.set_num_threads(1)
    assert np.array_equal(found, [answers(i) for i in range(7)])


def test_one_that_fails_ends_them_all(threads):
    begun = []

    def fail(i):
        begun.append(i)
        time.sleep(0.05)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(parallel.each(fail, range(100), CPU))
    assert len(begun) <= 4 * threads and torch.get_num_threads() == threads
