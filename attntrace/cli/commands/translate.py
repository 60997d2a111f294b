"""attntrace translate: from a sentence to its translation, step by step."""
import os
import sys
from collections.abc import Iterator

from attntrace.cli import click_words, options
from attntrace.cli.click_words import option, passed
from attntrace.cli.formats import PageOptions
from attntrace.cli.options import ModelOptions, Selection, told
from attntrace.cli.output import destination
from attntrace.cli.subject import translator, write
from attntrace.cli.values import Weights, Whole
from attntrace.messages.errors import Problem
from attntrace.messages.unicode import shown
from attntrace.model.config import MAX_LENGTH


@click_words.command("translate")
@options.sentence_argument
@passed("model", ModelOptions, options.model_option(
    "--weights", metavar="FILE", type=Weights(), default="ko-en", stands_for="ko-en", text="weights_translate"),
    options.reading_options)
@option("--max-length", type=Whole(1), default=MAX_LENGTH, stands_for=MAX_LENGTH, metavar="N")
@options.shown_option("--trace", is_flag=True, text="trace_all")
@options.shown_option("--step", type=Whole(1), metavar="N")
@options.change_options
@options.selection_options
@options.text_options
@options.save_option
@options.page_option("--quiet", "-q", is_flag=True, text="quiet_translate")
@options.page_options
def command(model: ModelOptions, max_length: int, selection: Selection, page: PageOptions) -> int | None:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy is imported: these matrices are small
    if page.quiet and page.is_text and not (selection.selects or page.save or model.set or model.ablate or model.swap):
        quietly(model, max_length, page.output)
        return None
    from attntrace.runs.decoding import Decoding
    model = model.read()
    again = options.typed(model)
    return write(Decoding(translator(model.sentence or "", model), max_length), selection, page, again)


def quietly(model: ModelOptions, max_length: int, output: str | None) -> None:
    """Only the translation: of the sentence, or of each line of standard input."""
    sentence = model.sentence
    if sentence is None and sys.stdin is not None and sys.stdin.isatty():
        raise Problem("no_sentence")
    is_input = sentence is None or sentence == "-"
    batches = options.lines_of_input() if is_input else iter([[sentence or ""]])
    with destination(output) as out:
        for some in translations(batches, model, max_length, numbered=is_input):
            out.writelines(shown(translation, out.encoding or "utf-8") + "\n" for translation in some)
            out.flush()


def translations(batches: Iterator[list[str]], model: ModelOptions, max_length: int,
                 numbered: bool) -> Iterator[list[str]]:
    """Yield the translations of lines, of as many at once as there are. Raises Problem with the number of a line that
    cannot be translated, after those before it."""
    from attntrace.files.weights import load, located
    from attntrace.model.tokens import Reader, detokenize, look_up
    from attntrace.model.transformer import translate
    from attntrace.runs.prepare import with_markers
    weights, reader = str(model.weights), Reader(bool(model.ids), model.unknown == "unk")
    config, vocabularies, parameters = load(located(weights))
    if config.architecture.predicts:
        raise Problem("one_stack_to_translate", file=weights, part=config.part)
    if vocabularies.target is None:
        raise Problem("no_decoder_to_translate", file=weights)
    if not all(vocabularies):
        raise Problem("no_words_to_translate", file=weights)
    number = 0
    for lines in batches:
        read: list[tuple[int, ...]] = []
        problem = None
        for number, line in enumerate(lines, start=number + 1):
            try:
                words, notes = reader.read(line, vocabularies.source or (), "source", weights)
                told(notes)
                if not words and not numbered:
                    raise Problem("empty_sentence")
                marked, _ = with_markers(words or None, None, config)
                read.append(look_up(marked or [], vocabularies.source or (), "source", weights).ids)
            except Problem as found:
                problem = found if not numbered else Problem("in_line", line=number, problem=found.message)
                break
        sentences = list(filter(None, read))
        results = iter(translate(parameters, config, vocabularies, sentences, max_length) if sentences else [])
        yield [detokenize(next(results)) if ids else "" for ids in read]  # an empty line stays one
        if problem is not None:
            raise problem
