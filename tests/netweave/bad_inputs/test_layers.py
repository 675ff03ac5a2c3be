"""Networks of layers, functions and settings that are not supported."""

from __future__ import annotations

from tests.netweave.bad_inputs.models import LAYERS, MODULES, refused
from tests.netweave.bad_inputs.support import Command, rows_of

# a layer before the linear one, of 1x8x8 images: name, layer, what the error says
SUPPORTED = "is not supported ... supported are Conv2d, BatchNorm2d, BatchNorm1d, ReLU, ReLU6"
UNSUPPORTED = [
    ("Softmax", "nn.Softmax(1)"),
    ("Softshrink", "nn.Softshrink()"),
    ("Hardshrink", "nn.Hardshrink()"),
    ("GLU", "nn.GLU(1)"),
    ("CELU", "nn.CELU()"),
    ("SELU", "nn.SELU()"),
    ("Softmax2d", "nn.Softmax2d()"),
    ("LayerNorm", "nn.LayerNorm(8)"),
    ("GroupNorm", "nn.GroupNorm(1, 1)"),
    ("InstanceNorm2d", "nn.InstanceNorm2d(1)"),
    ("LocalResponseNorm", "nn.LocalResponseNorm(1)"),
    ("ConvTranspose2d", "nn.ConvTranspose2d(1, 1, 3)"),
    ("Conv3d", "nn.Conv3d(1, 1, 3)"),
    ("Upsample", "nn.Upsample(scale_factor=2)"),
    ("PixelShuffle", "nn.PixelShuffle(1)"),
    ("LSTM", "nn.LSTM(8, 8)"),
    ("Embedding", "nn.Embedding(17, 1)"),
    ("ReflectionPad2d", "nn.ReflectionPad2d(1)"),
    ("LPPool2d", "nn.LPPool2d(2, 2)"),
    ("AdaptiveMaxPool2d", "nn.AdaptiveMaxPool2d(1)"),
    ("Bilinear", "nn.Bilinear(8, 8, 8)"),
]
LAYER_ROWS = [(name, layer, f"0: {name} {SUPPORTED}") for name, layer in UNSUPPORTED]


@rows_of("layer, says", LAYER_ROWS)
def test_unsupported_layers(command: Command, layer: str, says: str) -> None:
    refused(command, f"{MODULES}\ndef build():\n    return nn.Sequential({layer}, {LAYERS})\n", says)


# what a forward computes of the 1x8x8 image x before the linear layer: name, expression, what the error says
COMPUTED = [
    ("a product", "x * x", "mul is not supported"),
    ("a difference", "x - x", "sub is not supported"),
    ("a matrix product", "x @ x", "matmul is not supported"),
    ("a stack", "torch.stack([x, x], 1)", "stack is not supported"),
    ("a padding", 'F.pad(x, (1, 1, 1, 1), mode="reflect")', "pad with mode 'reflect' is not supported"),
    ("an interpolation", "F.interpolate(x, 4)", "interpolate is not supported"),
    ("an exchange of axes", "x.permute(0, 1, 3, 2)", "permute is not supported"),
    ("a sum by letters", "torch.einsum('nchw->nc', x)", "einsum is not supported"),
    ("a part", "x[:, :, 1:]", "getitem: getitem with index (slice(None, None, None), slice(None, None, None),"),
    ("a softmax in between", "F.softmax(x.flatten(1), 1)", "softmax is not supported"),
    ("a sum with a number", "x + 1", "add with operand 1 is not supported: both must be tensors that the network"),
    ("a sum twice as large", "torch.add(x, x, alpha=2)", "add with alpha 2 is not supported: must be 1"),
    ("a sum of two shapes", "x + F.max_pool2d(x, 2)", "add with operands 8x8x1 and 4x4x1 is not supported: both must"),
    ("a mean of channels", "x.mean(1)", "mean with dim 1 is not supported: must be (2, 3)"),
    ("a view of others", "x.view(-1, 32)", "view with shape (-1, 32) is not supported: only (n, 64) is possible"),
    ("a flattening of images", "x.flatten(0)", "flatten with start_dim, end_dim (0, -1) is not supported: only [n,"),
    ("a dropout in use", "F.dropout(x, 0.5, True)", "dropout with training True is not supported: must be"),
    ("no axis 9", "x.view(x.size(9), -1)", "size: size cannot be taken with what it is called with"),
    ("an attribute", "x.T", "getattr: getattr with attribute 'T' is not supported: only shape is known"),
    ("a filter as image", "F.conv2d(torch.ones(1, 1, 3, 3), x)", "conv2d: conv2d cannot be taken with what it is"),
    ("control flow", "x if x.sum() > 0 else -x", "Own: cannot be traced, its control flow or calls depend on the data"),
    ("a loop over images", "[image for image in x][0]", "Own: cannot be traced, its control flow or calls depend on"),
    ("a number of it", "x + float(x.max())", "Own: cannot be traced, its control flow or calls depend on the data"),
    ("a failure", "x.no_such_method()", "no_such_method is not supported"),
    ("an image of one axis", "F.max_pool2d(x.flatten(1), 2)", "max_pool2d: max_pool2d with input [n, 64] is not"),
    ("noise", "x + torch.randn(1, 1, 8, 8)", "add with operand a constant tensor of shape (1, 1, 8, 8) is not"),
    ("a rounding", "x.round()", "round is not supported"),
    ("writing in place", "(F.relu_(x), x)[1]", "Own: computes other outputs than its trace; an operation that writes"),
    ("the same weights of two", "F.linear(x.flatten(1), self_weight)", "cannot be traced"),
]  # fmt: skip


@rows_of("expression, says", COMPUTED)
def test_forwards(command: Command, expression: str, says: str) -> None:
    refused(command, f"{MODULES}\ndef build():\n    return Own(lambda x: {expression})\n", says)


# a module by itself: name, module, what the error says
SETTINGS = [
    ("a parameter added", "Added()", "add with operand a constant tensor of shape (64,) is not supported: both must"),
    ("two inputs", "Two()", "Two: takes 2 inputs (x, y); must take 1"),
    ("two outputs", "Plain(lambda y, x: (y, x))", "Plain: must return one tensor, not tuple"),
    ("outputs by name", "Plain(lambda y, x: {'y': y})", "Plain: must return one tensor, not dict"),
    ("no output", "Plain(lambda y, x: None)", "Plain: must return one tensor, not NoneType"),
    ("the input again", "Plain(lambda y, x: x)", "network 'net' gives 8x8x1; data set 'digits' needs 1x1x10"),
    ("images for classes", "nn.Sequential(nn.Conv2d(1, 10, 3))", "network 'net' gives 6x6x10; data set 'digits'"),
    (
        "three classes of ten", "nn.Sequential(nn.Flatten(), nn.Linear(64, 3))",
        "network 'net' gives 1x1x3; data set 'digits' needs 1x1x10",
    ),
    (
        "too many features", "nn.Sequential(nn.Flatten(), nn.Linear(65, 10))",
        "1: Linear with in_features 65 is not supported: its input has 64 features",
    ),
    (
        "three colours", "nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.Flatten(), nn.Linear(128, 10))",
        "0: Conv2d with in_channels 3 is not supported: its input has 1 channels",
    ),
    (
        "a kernel of 17", "nn.Sequential(nn.Conv2d(1, 2, 17, padding=8), nn.Flatten(), nn.Linear(128, 10))",
        "kernel_size (17, 17) is not supported: must be 1 to 15",
    ),
    (
        "a kernel beyond the image",
        "nn.Sequential(nn.MaxPool2d(2), nn.MaxPool2d(2), nn.Conv2d(1, 2, 5), nn.Flatten())",
        "2: Conv2d with kernel_size (5, 5) is not supported: is larger than its padded input 2x2x1",
    ),
    (
        "a stride of 5", "nn.Sequential(nn.Conv2d(1, 2, 3, 5), nn.Flatten(), nn.Linear(8, 10))",
        "0: Conv2d with stride (5, 5) is not supported: must be 1 to 4",
    ),
    (
        "a kernel that is too large", "nn.Sequential(nn.Conv2d(1, 2, (9, 8), padding=(4, 3)), nn.Flatten())",
        "0: Conv2d with kernel_size (9, 8) is not supported: has 72 taps; at most 64 are possible",
    ),
    (
        "a stride that is too large", "nn.Sequential(nn.Conv2d(1, 2, 3, (1, 5)), nn.Flatten())",
        "0: Conv2d with stride (1, 5) is not supported: must be 1 to 4",
    ),
    (
        "too much padding", "nn.Sequential(nn.Conv2d(1, 2, 3, padding=2), nn.Flatten())",
        "padding (2, 2) is not supported: must be 0 to 1 for kernel 3",
    ),
    (
        "another padding", "nn.Sequential(nn.Conv2d(1, 2, 3, padding=1, padding_mode='circular'))",
        "padding_mode 'circular' is not supported: must be 'zeros'",
    ),
    (
        "wide holes", "nn.Sequential(nn.Conv2d(1, 2, 3, dilation=9), nn.Flatten())",
        "0: Conv2d with dilation (9, 9) is not supported: must be 1 to 8",
    ),
    (
        "a ceiling", "nn.Sequential(nn.MaxPool2d(3, 2, ceil_mode=True), nn.Flatten())",
        "0: MaxPool2d with ceil_mode True is not supported: must be False",
    ),
    ("indices", "nn.Sequential(nn.MaxPool2d(2, return_indices=True))", "0: MaxPool2d with return_indices True is not"),
    (
        "a pool with holes", "nn.Sequential(nn.MaxPool2d(2, dilation=2), nn.Flatten())",
        "0: MaxPool2d with dilation 2 is not supported: must be 1",
    ),
    (
        "another divisor", "nn.Sequential(nn.AvgPool2d(2, divisor_override=3), nn.Flatten())",
        "divisor_override 3 is not supported: must be None",
    ),
    (
        "padding uncounted", "nn.Sequential(nn.AvgPool2d(3, 2, 1, count_include_pad=False))",
        "count_include_pad False is not supported: must be True",
    ),
    (
        "three of eight", "nn.Sequential(nn.AdaptiveAvgPool2d(3), nn.Flatten())",
        "output_size (3, 3) is not supported: must divide its input, 8x8x1",
    ),
    (
        "a softmax of images", "nn.Sequential(nn.Flatten(), nn.Linear(64, 10), nn.Softmax(0))",
        "2: Softmax with dim 0 is not supported: must be 1",
    ),
    (
        "a layer behind softmax", "nn.Sequential(nn.Flatten(), nn.Linear(64, 10), nn.Softmax(1), nn.Linear(10, 10))",
        "2: Softmax is not supported",
    ),
    (
        "two softmaxes", "nn.Sequential(nn.Flatten(), nn.Linear(64, 10), nn.Softmax(1), nn.LogSoftmax(1))",
        "2: Softmax is not supported",
    ),
    (
        "a clip the wrong way", "nn.Sequential(nn.Flatten(), nn.Linear(64, 10), nn.Hardtanh(0, -1))",
        "'own.py:build': the function failed: AssertionError: max_val (-1) must be greater than min_val (0)",
    ),
]  # fmt: skip


@rows_of("module, says", SETTINGS)
def test_modules(command: Command, module: str, says: str) -> None:
    refused(command, f"{MODULES}\ndef build():\n    return {module}\n", says)
