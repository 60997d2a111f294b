"""attntrace translate: from a sentence to its translation, step by step."""
from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from attntrace.cli import click_words as commands
from attntrace.cli.click_words import option
from attntrace.cli.completion import Weights
from attntrace.cli.exit_codes import CHECK_FAILED, DONE
from attntrace.cli.formats import is_text, page_on
from attntrace.cli.options import (CHANGES, change_options, checked_precision, lines_of_input, one_argument,
                                   one_sentence, page_options, save_option, selection_options, sentence_argument,
                                   text_options)
from attntrace.cli.output import destination
from attntrace.cli.page import Parts, left_early, paused, saved, view_of
from attntrace.cli.subject import translator
from attntrace.cli.values import Whole
from attntrace.messages.errors import Problem
from attntrace.messages.unicode import shown
from attntrace.model.config import MAX_LENGTH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from attntrace.cli.page import Tell
    from attntrace.pages.view import View
    from attntrace.runs.decoding import Decoding

WITH_STEPS = ("trace", "step", "only", "layer", "head", "save", *CHANGES)  # what the quick way does not have
AT_ONCE = 128  # lines
TRACED = ("only", "layer", "head", "step")


@commands.command("translate")
@sentence_argument
@option("--weights", metavar="FILE", type=Weights(), default="ko-en", stands_for="ko-en", text="weights_translate")
@option("--max-length", type=Whole(1), default=MAX_LENGTH, stands_for=MAX_LENGTH, metavar="N")
@option("--quiet", "-q", is_flag=True, text="quiet_translate")
@option("--trace", is_flag=True, text="trace_all")
@option("--step", type=Whole(1), metavar="N")
@change_options
@selection_options
@text_options
@save_option
@page_options
def command(sentence: tuple[str, ...], **options: Any) -> int:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy is imported: these matrices are small
    if options["quiet"] and is_text(options) and not any(options[name] for name in WITH_STEPS):
        return quietly(one_argument(sentence), options)
    from attntrace.pages.blocks import Answer
    from attntrace.runs.decoding import Decoding
    decoding = Decoding(translator(one_sentence(sentence), options), options["max_length"])
    only = traced_steps(decoding, options)
    saved(decoding, options)
    with destination(options["output"], options["pager"]) as out, page_on(out, options) as writer:
        with paused(writer, options) as tell:
            view = view_of(options, out, only) if only is not None else None
            code, translation = told(decoding, tell, view, checked_precision(options))
        if translation is not None:
            writer([Answer(translation, is_words=True, apart=True)])
    return code


def traced_steps(decoding: Decoding, options: dict[str, Any]) -> frozenset[str] | None:
    """The addresses whose tensors are to be printed; None where none is asked for."""
    if not options["trace"] and not any(options[name] for name in TRACED):
        return None
    from attntrace.tracing.addresses import selected
    addresses = decoding.addresses()
    if options["step"]:
        last = max(int(address.split(".")[0][4:]) for address in addresses if address.startswith("step"))
        if options["step"] > last:
            raise Problem("no_such_step", step=options["step"], last=last)
        addresses = [address for address in addresses if address.startswith(f"step{options['step']}.")]
    return selected(options["only"], options["layer"], options["head"], addresses)


def told(decoding: Decoding, tell: Tell, view: View | None, precision: int) -> tuple[int, str | None]:
    """The page: what goes in, every tensor where a view says which, the decoding. Returns 1 where a check says no, and
    the translation, unless the reader has left before it."""
    from attntrace.pages.overview import run_closing
    from attntrace.pages.translation import TranslationPage, translation_overview
    page, translation = TranslationPage(decoding, tell, precision), None
    parts = Parts(view, tell, decoding.run.parameters.names) if view is not None else None
    with left_early():
        tell(translation_overview(decoding.run))
        if parts is not None:
            parts(decoding)
            tell(run_closing(decoding.run, parts.fingerprint))
        page()
        translation = page.translation
    code = parts.code if parts is not None else DONE
    return CHECK_FAILED if page.failed else code, translation


def quietly(sentence: str | None, options: dict[str, Any]) -> int:
    """The translation alone: of the sentence, or of each line of standard input one."""
    if sentence is None and sys.stdin is not None and sys.stdin.isatty():
        raise Problem("no_sentence")
    is_input = sentence is None or sentence == "-"
    with destination(options["output"]) as out:
        quiet = Quiet(options["weights"], options["max_length"], numbered=is_input)
        for lines in lines_of_input() if is_input else [[sentence or ""]]:
            for translation in quiet(lines):
                out.write(shown(translation, out.encoding or "utf-8") + "\n")
            out.flush()
    return DONE


class Quiet:
    """Translations of lines, as many at once as there are. Raises Problem with the number of a line that has none."""

    def __init__(self, weights: str, max_length: int, numbered: bool) -> None:
        from attntrace.files.weights import load, located
        self.model, self.max_length, self.numbered, self.line = load(located(weights)), max_length, numbered, 0
        if self.model.vocabularies.target is None:
            raise Problem("no_decoder_to_translate", file=weights)
        if not all(self.model.vocabularies):
            raise Problem("no_words_to_translate", file=weights)

    def __call__(self, lines: list[str]) -> Iterator[str]:
        from attntrace.model.tokens import END, look_up, tokenize
        while lines:
            some, lines = lines[:AT_ONCE], lines[AT_ONCE:]
            read: list[tuple[int, ...]] = []
            problem = None
            for line in some:
                self.line += 1
                words = tokenize(line)
                try:
                    if not words and not self.numbered:
                        raise Problem("empty_sentence")
                    words += [END] * (self.model.config.source_end and bool(words))
                    read.append(look_up(words, self.model.vocabularies.source or (), "source").ids)
                except Problem as found:
                    problem = found if not self.numbered else Problem("in_line", line=self.line, problem=found.message)
                    break
            yield from self.translations(read)
            if problem is not None:
                raise problem

    def translations(self, read: list[tuple[int, ...]]) -> Iterator[str]:
        """An empty line stays one."""
        from attntrace.model.generate import translated, without_end
        from attntrace.model.tokens import spoken
        config, vocabularies, parameters = self.model
        sentences = [ids for ids in read if ids]
        found = iter(translated(parameters, config, vocabularies, sentences, self.max_length) if sentences else [])
        for ids in read:
            yield spoken(without_end(next(found))) if ids else ""
