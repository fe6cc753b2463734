"""What each torch operator does, in a report's words; one that is not listed is unknown."""

from collections.abc import Mapping

#: Why an operator of a kind counts zero multiply-accumulates.
REASONS: Mapping[str, str] = {
    "arithmetic": "one operation per element, no multiply-accumulate pairs",
    "activation": "one function per element, no multiply-accumulate pairs",
    "normalisation": "scale and shift per element; folds into the neighbouring convolution",
    "pooling": "adds or compares, no weights",
    "reduction": "adds or compares, no weights",
    "resampling": "fixed interpolation, no weights",
    "movement": "moves data, computes nothing",
    "view": "renames dimensions, moves nothing",
    "creation": "makes a tensor, computes nothing",
    "random": "draws random numbers",
}

_NAMES = {
    "arithmetic": """
        abs add addcdiv addcmul bitwise_and bitwise_not bitwise_or bitwise_xor ceil clamp clamp_max
        clamp_min cos div eq erf exp exp2 expm1 floor floor_divide fmod ge gt isinf isnan le lerp
        log log10 log1p log2 logical_and logical_not logical_or logical_xor lt masked_fill maximum
        minimum mul ne neg pow reciprocal remainder round rsqrt rsub sign sin sqrt square sub tan
        trunc where xlogy nan_to_num atan atan2 fill zero copy isfinite
    """,
    "activation": """
        celu elu gelu hardshrink hardsigmoid hardswish hardtanh leaky_relu log_sigmoid_forward
        mish prelu _prelu_kernel relu relu6 rrelu rrelu_with_noise selu sigmoid silu softplus
        softshrink tanh threshold native_dropout
    """,
    "random": "bernoulli normal uniform random dropout rand_like randn_like rand randn randint",
    "normalisation": """
        native_batch_norm _native_batch_norm_legit _native_batch_norm_legit_no_training
        native_layer_norm native_group_norm _softmax _log_softmax _safe_softmax linalg_vector_norm
        _fused_rms_norm norm _weight_norm_interface
    """,
    "pooling": """
        avg_pool1d avg_pool2d avg_pool3d max_pool1d max_pool2d max_pool2d_with_indices
        max_pool3d_with_indices _adaptive_avg_pool2d _adaptive_avg_pool3d adaptive_max_pool2d
        adaptive_max_pool3d
    """,
    "reduction": """
        mean sum amax amin max min argmax argmin var var_mean std std_mean logsumexp all any prod
        topk sort cumsum aminmax
    """,
    "resampling": """
        upsample_nearest1d upsample_nearest2d upsample_nearest3d _upsample_nearest_exact1d
        _upsample_nearest_exact2d upsample_linear1d upsample_bilinear2d upsample_trilinear3d
        upsample_bicubic2d _upsample_bilinear2d_aa _upsample_bicubic2d_aa grid_sampler_2d
    """,
    "movement": """
        cat stack clone contiguous _to_copy constant_pad_nd reflection_pad1d reflection_pad2d
        replication_pad1d replication_pad2d flip roll index index_select gather scatter index_put
        _index_put_impl im2col col2im embedding pixel_shuffle pixel_unshuffle channel_shuffle
        native_channel_shuffle repeat tril triu _reshape_copy slice_scatter select_scatter
        write_back bitwise_left_shift
    """,
    "view": """
        view _unsafe_view reshape transpose permute t split split_with_sizes chunk slice
        unsafe_split unsafe_split_with_sizes
        select unsqueeze squeeze alias detach expand as_strided unfold unbind diagonal lift_fresh
        _reshape_alias movedim view_as_real view_as_complex lift resize
    """,
    "creation": """
        empty empty_like new_empty new_zeros new_ones new_full zeros zeros_like ones ones_like full
        full_like arange linspace eye empty_strided new_empty_strided scalar_tensor empty_permuted
    """,
}

#: Operator name (overload and trailing underscore removed) -> kind.
KINDS: Mapping[str, str] = {name: kind for kind, names in _NAMES.items() for name in names.split()}

#: Operators that act on each position by itself; inputs broadcast.
POINTWISE_KINDS = frozenset({"arithmetic", "activation", "random"})

#: Operators too small to be a row of their own in a report.
HIDDEN_KINDS = frozenset({"view", "creation", "random"})
HIDDEN_NAMES = frozenset(("contiguous", "fill", "zero", "write_back"))


def kind_of(name: str) -> str | None:
    """Return the kind of an operator, or None when it is not known.

    >>> kind_of("hardtanh_"), kind_of("convolution")
    ('activation', None)
    """
    return KINDS.get(name) or KINDS.get(name.removesuffix("_"))


def is_hidden(name: str) -> bool:
    """Say whether an operator is bookkeeping that a report leaves out."""
    plain = name if name in KINDS else name.removesuffix("_")
    return plain in HIDDEN_NAMES or KINDS.get(plain) in HIDDEN_KINDS


_FRIENDLY = {
    **dict.fromkeys(("clone", "_to_copy"), "copy"),
    "addmm": "linear",
    "mm": "matmul",
    "bmm": "matmul",
    "baddbmm": "matmul",
    "native_batch_norm": "batch_norm",
    "native_layer_norm": "layer_norm",
    "native_group_norm": "group_norm",
    "max_pool2d_with_indices": "max_pool2d",
    "max_pool3d_with_indices": "max_pool3d",
    "_adaptive_avg_pool2d": "adaptive_avg_pool2d",
    "constant_pad_nd": "pad",
    "reflection_pad2d": "pad",
    "replication_pad2d": "pad",
    "_softmax": "softmax",
    "_log_softmax": "log_softmax",
    "im2col": "unfold",
    "col2im": "fold",
}


def friendly(name: str, dims: int) -> str:
    """Return the name a reader knows an operator by; `dims` is the rank of its output.

    >>> friendly("convolution", 4), friendly("add_", 4)
    ('conv2d', 'add')
    """
    if name == "convolution":
        return f"conv{dims - 2}d"
    plain = name if name in KINDS or name.startswith("_") else name.removesuffix("_")
    return _FRIENDLY.get(plain, plain)
