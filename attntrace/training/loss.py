"""The loss of a prediction: the mean cross-entropy with the words of the translation (section 5.4)."""
from attntrace.model.tokens import Words
from attntrace.model.transformer import Prediction
from attntrace.ops.functions import mean
from attntrace.ops.loss import CrossEntropy, Labels
from attntrace.tensor.constants import constant
from attntrace.tensor.tensor import Tensor, apply
from attntrace.tracing.trace import Trace


def loss(trace: Trace, prediction: Prediction, wanted: Words, smoothing: float = 0.0) -> Tensor:
    """Return the mean cross-entropy L, a scalar.

    prediction: token × vocab, of the word after each word of the decoder's input; wanted: the words that should come
    there, one for each token.
    """
    token, vocab = prediction.logits.axes
    dtype = str(prediction.logits.value.dtype)
    y = trace("labels", apply(Labels(vocab, smoothing, dtype), constant(wanted.ids, "next", (token,))), "labels")
    each = trace("per_token", apply(CrossEntropy(), prediction.logits, prediction.probabilities, y), "loss")
    return trace("mean", mean(each), "L")
