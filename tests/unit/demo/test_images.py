"""Hand-written digits: the split and what is sent."""

from demo.data.images import load_images, split_images
from demo.items import Tensor, digit_item


def test_no_image_lies_on_both_sides() -> None:
    """Held-out images and training ones differ in their pixels, and together they are all."""
    images = load_images()
    split = split_images(images)
    assert not {each.pixels for each in split.train} & {each.pixels for each in split.held_out}
    assert len(split.train) + len(split.held_out) == len(images) == 1_797


def test_an_image_is_sent_as_64_grey_values() -> None:
    """The tensor is FP32 [1, 64] within 0 to 16, and the truth stays behind."""
    digit = load_images()[0]
    item = digit_item(digit)
    data = tuple(float(value) for value in digit.pixels)
    assert item.inputs == (Tensor(name="pixels", datatype="FP32", shape=(1, 64), data=data),)
    assert 0 <= min(digit.pixels) <= max(digit.pixels) <= 16
    assert item.truth == "0"
