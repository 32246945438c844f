"""A dense network as an ONNX file, for onnxruntime-web to read: the few Protocol Buffers messages that this takes, written out.

Weights keep the float16 of weights/*.npz and are cast when the session is made, so that the peer loads no more bytes than our page.
Source: onnx.proto of ONNX 1.17 (field numbers), https://protobuf.dev/programming-guides/encoding/ (bytes).
"""

import numpy as np

FLOAT, FLOAT16 = 1, 10  # TensorProto.DataType
IR_VERSION, OPERATOR_SET = 8, 13


def dense_network(layers: list[tuple[np.ndarray, np.ndarray]]) -> bytes:
    """An ONNX model of x W + b, ReLU in between and softmax at the end.

    layers: (W (n_in, n_out), b (n_out,)) of each.   Its input is "image", (1, n_in) float32; its output "probabilities", (1, n_out).
    """
    nodes, tensors, x = [], [], "image"
    for i, (weights, bias) in enumerate(layers):
        for name, array in ((f"W{i}", weights), (f"b{i}", bias)):
            tensors.append(_tensor(f"{name}_half", array))
            nodes.append(_node("Cast", [f"{name}_half"], name, to=FLOAT))
        nodes.append(_node("Gemm", [x, f"W{i}", f"b{i}"], f"sum{i}"))
        x = f"sum{i}"
        if i < len(layers) - 1:
            nodes.append(_node("Relu", [x], f"hidden{i}"))
            x = f"hidden{i}"
    nodes.append(_node("Softmax", [x], "probabilities", axis=1))
    graph = b"".join([
        *(_message(1, node) for node in nodes),
        _message(2, b"digits"),
        *(_message(5, tensor) for tensor in tensors),
        _message(11, _value("image", [1, layers[0][0].shape[0]])),
        _message(12, _value("probabilities", [1, layers[-1][0].shape[1]])),
    ])
    return _number(1, IR_VERSION) + _message(7, graph) + _message(8, _message(1, b"") + _number(2, OPERATOR_SET))


def _node(operator: str, inputs: list[str], output: str, **attributes: int) -> bytes:
    """NodeProto; attributes are whole numbers (type 2)."""
    parts = [_message(1, name.encode()) for name in inputs]
    parts += [_message(2, output.encode()), _message(4, operator.encode())]
    parts += [_message(5, _message(1, name.encode()) + _number(3, value) + _number(20, 2)) for name, value in attributes.items()]
    return b"".join(parts)


def _tensor(name: str, array: np.ndarray) -> bytes:
    """TensorProto, float16."""
    data = array.astype("<f2").tobytes()
    return b"".join(_number(1, size) for size in array.shape) + _number(2, FLOAT16) + _message(8, name.encode()) + _message(9, data)


def _value(name: str, shape: list[int]) -> bytes:
    """ValueInfoProto of a float32 tensor."""
    dimensions = b"".join(_message(1, _number(1, size)) for size in shape)
    return _message(1, name.encode()) + _message(2, _message(1, _number(1, FLOAT) + _message(2, dimensions)))


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _message(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; the eighth says that more follow."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
