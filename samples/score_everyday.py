"""Score a model on hand-written sentences: `python samples/score_everyday.py samples/everyday.tsv`."""
import argparse
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from attntrace.files.weights import load, located
from attntrace.messages.errors import Problem
from attntrace.model.tokens import Reader, detokenize, look_up
from attntrace.model.transformer import translate
from attntrace.runs.prepare import with_markers

CONTRACTIONS = {r"\bcan't": "can not", r"\bcannot\b": "can not", r"\bwon't": "will not", "n't": " not", "'m": " am",
                "'re": " are", "'ve": " have", "'ll": " will", "'d": " would", r"\blet's": "let us", "'s": " is"}


def normalised(sentence: str) -> str:
    """Return a sentence in lower case without contractions and without `.` `?` `!` at its end."""
    text = sentence.lower().replace("’", "'")
    for short, long in CONTRACTIONS.items():
        text = re.sub(short, long, text)
    return " ".join(text.split()).rstrip(".?! ")


def translator(weights: str) -> Callable[[str], str]:
    """Return what translates a sentence with a model, which is loaded once. It raises Problem for unknown words."""
    config, vocabularies, parameters = load(located(weights))

    def translation(sentence: str) -> str:
        words, _ = Reader().read(sentence, vocabularies.source or (), "source", weights)
        source, _ = with_markers(words, None, config)
        ids = look_up(source or [], vocabularies.source or (), "source", weights).ids
        return detokenize(translate(parameters, config, vocabularies, [ids])[0])
    return translation


def main() -> None:
    """Print how many sentences are right, wrong and refused by topic, and those that are not right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, help="a comment `# topic` before each group; sentence, tab, translations")
    parser.add_argument("--weights", help="ko-en, or with --reverse en-ko, unless given: a model's name or file")
    parser.add_argument("--reverse", action="store_true", help="from the first translation; right is only the sentence")
    args = parser.parse_args()
    translation = translator(args.weights or ("en-ko" if args.reverse else "ko-en"))
    topic, topics, others = "", dict[str, Counter[str]](), list[str]()
    for line in args.file.read_text("utf-8").splitlines():
        if line.startswith("#") or not line.strip():
            topic = line.removeprefix("#").strip()
            continue
        sentence, *accepted = line.split("\t")
        if args.reverse:
            sentence, accepted = accepted[0], [sentence]
        try:
            said = translation(sentence)
            outcome = "right" if normalised(said) in map(normalised, accepted) else "wrong"
        except Problem as problem:
            outcome, said = "refused", str(problem)
        topics.setdefault(topic, Counter())[outcome] += 1
        if outcome != "right":
            others.append(f"{outcome:7}  {sentence}  ->  {said}  (wanted: {accepted[0]})")
    topics["all"] = sum(topics.values(), Counter())
    for topic, counts in topics.items():
        print(f"{topic:24}", *(f"{outcome} {counts[outcome]:3}" for outcome in ("right", "wrong", "refused")), sep="  ")
    print(f"\n{topics['all']['right'] / topics['all'].total():.1%} right", *others, sep="\n")


if __name__ == "__main__":
    main()
