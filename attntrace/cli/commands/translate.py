"""attntrace translate: from a sentence to its translation, step by step."""
import sys
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TextIO

from attntrace.cli import click_words, options
from attntrace.cli.click_words import option, passed
from attntrace.cli.formats import PageOptions, write_blocks
from attntrace.cli.options import ModelOptions, Selection, told
from attntrace.cli.output import destination
from attntrace.cli.subject import translator, with_weights, write
from attntrace.cli.values import Weights, Whole
from attntrace.messages.errors import Problem
from attntrace.messages.unicode import shown
from attntrace.model.config import MAX_LENGTH, as_option

MOST = 100  # hypotheses


@click_words.command("translate")
@options.sentence_argument
@passed("model", ModelOptions, options.model_option(
    "--weights", metavar="FILE", type=Weights(), text="weights_translate"),
    options.reading_options)
@option("--max-length", type=Whole(1), default=MAX_LENGTH, stands_for=MAX_LENGTH, metavar="N")
@option("--alternatives", type=Whole(1, MOST), metavar="K")
@options.shown_option("--trace", is_flag=True, text="trace_all")
@options.shown_option("--step", type=Whole(1), metavar="N")
@options.change_options
@options.selection_options
@options.text_options
@options.save_option
@options.page_option("--quiet", "-q", is_flag=True, text="quiet_translate")
@options.page_options
def command(model: ModelOptions, max_length: int, alternatives: int | None, selection: Selection,
            page: PageOptions) -> int | None:
    if alternatives:
        check_alone(selection, page)
    if page.quiet and page.is_text and not (selection.selects or page.save or model.set or model.ablate or model.swap):
        quietly(model, max_length, alternatives, page.output)
        return None
    model = model.read()
    model = with_weights(model, model.sentence or "")
    again, run = options.typed(model), translator(model.sentence or "", model)
    if alternatives is None:
        from attntrace.runs.decoding import Decoding
        return write(Decoding(run, max_length), selection, page, again)
    from attntrace.runs.beam import BeamSearch
    search = BeamSearch(run, alternatives, max_length)
    if page.quiet and page.is_text:
        from attntrace.model.tokens import detokenize
        with destination(page.output) as out:
            write_lines([detokenize(one.words) for one in search()], out)
    else:
        from attntrace.pages.beam import BeamPage
        write_blocks(BeamPage(search, selection.decimals(None), again).blocks(), page)
    return None


def check_alone(selection: Selection, page: PageOptions) -> None:
    """Raise Problem where an option selects tensors, of which a beam search shows none."""
    usual = Selection(precision=selection.precision, explain=selection.explain)._asdict()
    given = [name for name, value in selection._asdict().items() if value != usual[name]] + ["save"] * bool(page.save)
    if given:
        raise Problem("alternatives_with", option=as_option(given[0]))


def write_lines(lines: Iterable[str], out: TextIO) -> None:
    out.writelines(shown(line, out.encoding or "utf-8") + "\n" for line in lines)
    out.flush()


def quietly(model: ModelOptions, max_length: int, alternatives: int | None, output: str | None) -> None:
    """Only the translation, or some: of the sentence, or of each line of standard input."""
    sentence = model.sentence
    if sentence is None and sys.stdin is not None and sys.stdin.isatty():
        raise Problem("no_sentence")
    is_input = sentence is None or sentence == "-"
    batches = options.lines_of_input() if is_input else iter([[sentence or ""]])
    first = next(batches, [])
    model = with_weights(model, " ".join(first))
    with destination(output) as out:
        for some in translations(chain([first], batches), model, max_length, alternatives, numbered=is_input):
            write_lines(some, out)


def translations(batches: Iterator[list[str]], model: ModelOptions, max_length: int, alternatives: int | None,
                 numbered: bool) -> Iterator[list[str]]:
    """Yield the translations of lines, of as many at once as there are; of each line as many `alternatives`, the last
    ones empty where there are fewer. Raises Problem with the number of a line that cannot be translated, after those
    before it."""
    from attntrace.files.weights import load, located
    from attntrace.model.tokens import Reader, Words, detokenize, look_up
    from attntrace.model.transformer import translate
    from attntrace.runs.beam import BeamSearch
    from attntrace.runs.decoding import check_translates
    from attntrace.runs.prepare import with_markers
    from attntrace.runs.run import Run
    weights, reader = str(model.weights), Reader(bool(model.ids), model.unknown == "unk")
    config, vocabularies, parameters = load(located(weights))
    check_translates(config, vocabularies, weights)
    if not all(vocabularies):
        raise Problem("no_words_to_translate", file=weights)
    number = 0
    for lines in batches:
        read = list[Words]()
        problem = None
        for number, line in enumerate(lines, start=number + 1):
            try:
                words, notes = reader.read(line, vocabularies.source or (), "source", weights)
                if not words and not numbered:
                    raise Problem("empty_sentence")
                marked, _ = with_markers(words or None, None, config)
                read.append(look_up(marked or [], vocabularies.source or (), "source", weights))
                told(notes)
            except Problem as found:
                problem = found if not numbered else Problem("in_line", line=number, problem=found.message)
                break
        if alternatives is None:
            sentences = [source.ids for source in read if source.ids]
            results = iter(translate(parameters, config, vocabularies, sentences, max_length) if sentences else [])
            yield [detokenize(next(results)) if source.ids else "" for source in read]  # an empty line stays one
        else:
            for source in read:
                run = Run(config, None, weights, vocabularies, parameters, source, None)
                best = BeamSearch(run, alternatives, max_length)() if source.ids else []
                yield [detokenize(one.words) for one in best] + [""] * (alternatives - len(best) if numbered else 0)
        if problem is not None:
            raise problem
