"""The question of each kind of block: predict, then see; the answer holds in every state."""

from typing import Any

QUESTIONS: dict[str, dict[str, Any]] = {
    "fire": {
        "q": "A Fire module has three convolutions. Which has the most MACs?",
        "options": ["the squeeze 1×1", "the expand 1×1", "the expand 3×3"],
        "replies": [
            "The squeeze reads many channels but writes few, with one weight for each pair.",
            "The expand 1×1 has one weight for each pair of channels, the 3×3 beside it nine.",
            "Nine weights for each pair of channels, where the two 1×1 have one.",
        ],
        "answer": 2,
    },
    "separable": {
        "q": "A 3×3 convolution is split into depthwise and pointwise. Which has most of the MACs?",
        "options": ["the depthwise 3×3", "the pointwise 1×1", "both the same"],
        "replies": [
            "It has nine weights for each channel, the pointwise one for each pair of channels.",
            "One weight for each pair of channels, and there are hundreds of channels.",
            "Nine weights for each channel are few beside one for each pair of channels.",
        ],
        "answer": 1,
    },
    "inverted": {
        "q": "The norms are folded. Beside the input, where is the most memory alive at once?",
        "options": ["in the expand 1×1", "in the depthwise 3×3", "in the project 1×1"],
        "replies": [
            "The expansion reads a narrow map and writes a wide one: one wide map is alive.",
            "It reads a wide map and writes another: with expansion, that is the peak.",
            "The projection reads a wide map and writes a narrow one.",
        ],
        "answer": 1,
    },
    "bneck": {
        "q": "Squeeze-and-excite adds MACs, params and bytes moved. Where is its share largest?",
        "options": ["of the MACs", "of the params", "of the bytes moved"],
        "replies": [
            "Its two 1×1 layers run on one pixel for each channel: hardly any MACs.",
            "Two dense layers between all channels, though they run on one pixel only.",
            "It reads the map for the mean and scales it, but all other layers move maps as well.",
        ],
        "answer": 1,
    },
    "mbconv": {
        "q": "MBConv squeezes to a quarter of the block's input, MobileNetV3 to a quarter of the"
        " expansion. Of what does that save the larger share?",
        "options": ["of the MACs", "of the params", "of the bytes moved"],
        "replies": [
            "The two dense layers of the squeeze run on one pixel: hardly any MACs to save.",
            "The two dense layers of the squeeze are mostly weights, used on one pixel only.",
            "The maps are as large as before; only the few numbers of the squeeze are fewer.",
        ],
        "answer": 1,
    },
    "shuffle-v1": {
        "q": "Between two 1×1 in groups, the shuffle deals the channels anew. What does it take?",
        "options": ["MACs", "params", "bytes moved"],
        "replies": [
            "No number is multiplied or added: the channels only change places.",
            "Where each channel goes is fixed: there is nothing to learn.",
            "It multiplies nothing and learns nothing, but reads the map and writes it again.",
        ],
        "answer": 2,
    },
    "shuffle-v2": {
        "q": "At stride 1 the channels are split, and only one half is worked on. What does the"
        " split take?",
        "options": ["MACs", "bytes moved", "nothing"],
        "replies": [
            "No number is multiplied or added: each half only goes its own way.",
            "Each half is read where it stands in the input's map; nothing is copied.",
            "Each half is read where it stands in the input's map: no bytes, no MACs, no params.",
        ],
        "answer": 2,
    },
    "ghost": {
        "q": "A convolution makes some of the channels, a depthwise one the others, their ghosts."
        " What does a ghost read?",
        "options": ["all channels of the input", "one channel of the input", "one made channel"],
        "replies": [
            "Only the channels that the convolution makes read all of the input.",
            "The ghosts come after the convolution and never see the input.",
            "One channel that the convolution made: so a ghost has few weights and MACs.",
        ],
        "answer": 2,
    },
    "shift": {
        "q": "A shift moves each group of channels by a pixel. What does it take?",
        "options": ["MACs", "params", "bytes moved"],
        "replies": [
            "No number is multiplied or added: pixels only change places.",
            "The directions are fixed: there is nothing to learn.",
            "It multiplies nothing and learns nothing, but reads the map and writes it again.",
        ],
        "answer": 2,
    },
}  # fmt: skip
