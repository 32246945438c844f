"""ONNX: the network as a graph, for any of its run times.

Input "image", (N, *input_shape) float32 in 0..1; outputs "logits" and, at the model's temperature, "probabilities", both (N, 10).
"""

from __future__ import annotations

import json

import numpy as np

from inkling import __version__
from inkling.model import Sequential

from ..command import require
from .safetensors_file import SPEC

IR_VERSION, OPERATOR_SET = 8, 13  # of 2021: what run times of some age read, too


def write(model: Sequential) -> bytes:
    """float32; the spec, with temperature, threshold and second look, stands in metadata_props.

    The outputs are those of `forward`, at first sight. Dropout, which predicts nothing, is left out.
    """
    require("onnx")
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    nodes, tensors, x = [], [], "image"

    def constant(name: str, array: np.ndarray) -> str:
        tensors.append(numpy_helper.from_array(np.ascontiguousarray(array, np.float32), name))
        return name

    for i, layer in enumerate(model.layers):
        operator = OPERATORS.get(type(layer).__name__)
        if operator is None:
            continue
        kind, attributes = operator(layer.config)
        parameters = [constant(f"{i}.{name}", array) for name, array in layer.params.items()]
        nodes.append(helper.make_node(kind, [x, *parameters], [f"{i}.out"], **attributes))
        x = f"{i}.out"
    nodes += [helper.make_node("Identity", [x], ["logits"]),
              helper.make_node("Div", ["logits", constant("temperature", np.array(model.temperature))], ["scaled"]),
              helper.make_node("Softmax", ["scaled"], ["probabilities"], axis=1)]
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", *model.output_shapes[-1]]) for name in ("logits", "probabilities")]
    inputs = [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", *model.input_shape])]
    proto = helper.make_model(
        helper.make_graph(nodes, "digits", inputs, outputs, tensors), ir_version=IR_VERSION, producer_name="inkling", producer_version=__version__,
        opset_imports=[helper.make_opsetid("", OPERATOR_SET)])
    helper.set_model_props(proto, {SPEC: json.dumps(model.spec())})
    onnx.checker.check_model(proto, full_check=True)
    return proto.SerializeToString(deterministic=True)


def _conv(config: dict) -> tuple[str, dict]:
    k, stride, padding = (config[name] for name in ("kernel_size", "stride", "padding"))
    return "Conv", {"kernel_shape": [k, k], "strides": [stride] * 2, "pads": [padding] * 4}


OPERATORS = {  # layer -> (operator, attributes); one that is missing does nothing when predicting
    "Dense": lambda config: ("Gemm", {}),
    "Conv2D": _conv,
    "MaxPool2D": lambda config: ("MaxPool", {"kernel_shape": [config["pool_size"]] * 2, "strides": [config["pool_size"]] * 2}),
    "ReLU": lambda config: ("Relu", {}),
    "Flatten": lambda config: ("Flatten", {"axis": 1}),
}
