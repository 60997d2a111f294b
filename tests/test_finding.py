"""Finding things: topics by the names that people know, steps by their symbols, words of a model; what was meant."""
import re
import unicodedata

import pytest
from command import attntrace, refusal
from terminals import terminal
from word_model import SOURCE, TARGET, word_model

from attntrace.messages.catalog import LANGUAGES, template
from attntrace.messages.errors import Problem
from attntrace.messages.nearest import nearest
from attntrace.model.tokens import Reader, look_up, tokenize, vocabulary
from attntrace.pages.topic_table import TOPICS
from attntrace.pages.topics import simple, topic_called
from attntrace.runs.prepare import prepare

# What readers of Korean and English introductions look up.
TERMS = {
    "transformer": "BERT, 트랜스포머, 레이어, 층, transformer, Transformer, architecture",
    "pieces": "BPE, 서브워드, 조각, 워드피스, 형태소, subword, WordPiece",
    "token": "토큰화, 토큰, 스페셜 토큰, 시작 토큰, 시작 스페셜 토큰, 시퀀스, 소스 시퀀스, 타깃 시퀀스, 엔티티, special token",
    "vocabulary": "어휘, 단어 집합, vocabulary",
    "one_hot": "원핫, 원-핫 벡터, 원핫 인코딩, 원-핫 행, one-hot",
    "tensor": "텐서, 벡터, 행렬, vector, matrix, tensor",
    "d_model": "차원, 모델 차원, d_model, dimension",
    "embedding": "임베딩, 인풋 임베딩, 입력 임베딩, 단어 임베딩, 워드 임베딩, input embedding, output embedding, W_E",
    "scaled_embedding": "크기를 맞춘 임베딩, √d_model",
    "positional_encoding": "위치 인코딩, 포지셔널 인코딩, 포지셔널인코딩, sinusoidal, bag of words, 위치 임베딩, positional embedding, PE, pos",
    "attention": "스케일드 닷 프로덕트, 어텐션, 어텐션은, 어텐션이란, attention, scaled dot-product attention, 스케일드 닷 프로덕트 어텐션",
    "query": "쿼리, 쿼리(Query), 쿼리 벡터, 질의, 질의(query), 질의가, Query, W_Q, W^Q, WQ, Ｗ_Q",
    "key": "키, 키 벡터, Key, 키(key), W_K",
    "value": "밸류, 값, 값 벡터, 값(value), Value, W_V",
    "dot_product": "내적, 점곱, 유사도, dot product, inner product",
    "matrix_product": "행렬 곱, 행렬곱, 전치, 전치 행렬, transpose, matrix multiplication",
    "scores": "점수, 점수(scores), 어텐션 스코어, 어텐션 점수, score, scores, attention score",
    "scaled_scores": "why scale, temperature, 온도, 스케일링, 스케일링한 점수, √d_k, d_k, scaling",
    "masking": "-inf, -∞, −∞, 마스킹, 마스크, 마스크드 셀프 어텐션, 마스크드 멀티 헤드 어텐션, 룩어헤드 마스크, 패딩 마스크, 패딩, mask, "
               "causal mask, padding mask, look-ahead mask",
    "masked_scores": "마스크를 더한 점수",
    "softmax": "소프트맥스, 소프트맥스 함수, Softmax 함수, softmax, softmax 함수란",
    "weights": "어텐션 가중치, 어텐션 분포, 중요도, attention weights",
    "head.output": "context, 어텐션 값, 문맥 벡터, 컨텍스트 벡터, 가중합, context vector, 헤드의 출력",
    "multi_head_attention": "멀티 헤드 어텐션, 멀티헤드, 헤드, 어텐션 헤드, MultiHead, MultiHead(Q, K, V), head",
    "concat": "이어 붙이기, concat",
    "self_attention.output": "출력 투영, W_O",
    "self_attention": "셀프 어텐션, 셀프어텐션, 셀프 어텐션(Self Attention), 셀프 어텐션（Self）, 자기 주목(self-attention), "
                      "멀티 헤드 셀프 어텐션, 자기 어텐션, self-attention",
    "cross_attention": "교차 어텐션, 크로스 어텐션, 인코더-디코더 어텐션, encoder-decoder attention",
    "residual": "잔차, 잔차 연결, 스킵 커넥션, skip connection, 기울기 소실",
    "layer_norm": "층 정규화, 레이어 정규화, 레이어 노멀라이제이션, layer normalization",
    "mean": "평균", "variance": "분산, σ²",
    "norm": "감마, 베타, gamma, gain, 배율, 배율과 편향, γ",
    "add_norm": "Add and Norm, Add & Norm, 더하기와 정규화",
    "post_norm": "뒤에 하는 정규화, post-norm, Post-LN", "pre_norm": "앞에 하는 정규화, pre-norm, Pre-LN",
    "final_norm": "마지막 정규화, 최종 층 정규화",
    "feed_forward": "피드포워드 층, 피드포워드, 피드 포워드, 피드 포워드 신경망, 포지션 와이즈 피드 포워드, FFN, FFNN, 완전 연결층, "
                    "선형 변환, 리니어, Linear",
    "hidden": "은닉층, W_1, b_1",
    "activation": "활성화 함수, 렐루, ReLU",
    "encoder": "인코더, encoder", "decoder": "디코더, decoder",
    "encoder.output": "은닉 상태, hidden state",
    "logits": "로짓, 출력층, logit",
    "probabilities": "확률, 확률 분포",
    "inference": "추론, 예측, 인퍼런스, inference",
    "greedy_decoding": "탐욕적 디코딩, 그리디 서치, 그리디 디코딩, 탐욕적 탐색, greedy search",
    "beam_search": "빔 서치, 빔 탐색, 빔서치를, beam search, Beam Search, beam size, 길이 페널티, length penalty",
    "cache": "KV 캐시, 키 밸류 캐시, 키-값 캐시, 캐시, KV cache",
    "teacher_forcing": "teacher, 교사 강요, 티처 포싱, 티쳐 포싱, teacher forcing",
    "training_and_inference": "훈련과 예측, 훈련과 예측 단계",
    "training": "학습, 훈련, training",
    "batch": "배치, 에포크, epoch, mini-batch",
    "loss.labels": "정답, 레이블, 라벨, labels",
    "label_smoothing": "레이블 스무딩, 라벨 스무딩, label smoothing",
    "cross_entropy": "교차 엔트로피, 크로스 엔트로피, perplexity, cross entropy",
    "loss.mean": "손실, 손실 함수, 로스, loss",
    "backpropagation": "역전파, 백프로파게이션, backprop",
    "chain_rule": "연쇄 법칙, 체인룰", "gradient": "기울기, 그래디언트, gradient",
    "gradient.from": "기울기의 한 몫", "gradient.gain": "배율의 기울기", "gradient.value": "값의 기울기",
    "update": "갱신, 옵티마이저, optimizer",
    "adam": "아담, Adam", "sgd": "경사 하강법, SGD", "update.m_hat": "바로잡은 평균",
    "learning_rate": "학습률, 러닝 레이트, lr", "warmup": "워밍업, 웜업, warm-up", "dropout": "드롭아웃",
    "what_if": "ablation, ablate, what-if, 절제 실험",
    "parameter": "파라미터, 가중치, 가중치 행렬, 매개변수, 편향, 바이어스, 하이퍼파라미터, bias",
}


READS_WORDS = "--weights", word_model()


@pytest.mark.parametrize("topic", TERMS)
def test_every_term_leads_to_its_topic(topic):
    terms = re.findall(r"(?:[^,(]|\([^)]*\))+", TERMS[topic])
    for term in (*terms, *(unicodedata.normalize("NFD", term) for term in terms), *map(str.upper, terms)):
        assert topic_called(term.strip()) == topic, term


def test_other_names_of_topics_are_names_of_one_topic_each():
    names: dict[str, str] = {}
    for language in LANGUAGES:
        for topic in TOPICS:
            for name in (topic, *filter(None, template(language, f"aliases.{topic}").split(", "))):
                assert simple(name) and names.setdefault(simple(name), topic) == topic, name
    assert len(names) > 400


@pytest.mark.parametrize("asked, title", [
    ("Q", "Query"), ("z", "Output of a head"), ("Ŝ", "Scaled scores"), ("S_hat'", "Masked scores"), ("q₁", "Query"),
    ("z1", "Output of a head"), ("Q⁽²⁾", "Query"), ("H", "Hidden layer"), ("head1", "Multi-head attention"),
    ("encoder.layer1.self_attention.W_Q", "Query"), ("decoder.layer1.feed_forward.W_2", "Feed-forward output"),
    ("gradient.encoder.E", "Gradient of an embedding table"), ("dL/dQ", "Gradient of query and key")])
def test_symbols_and_parameters_lead_to_what_they_mean_and_not_to_their_gradients(asked, title):
    assert attntrace("explain", asked).out.startswith(f"  {title} / ")


@pytest.mark.parametrize("language, line", [
    ("en", "See also: Query; Key; Value; "), ("ko", "함께 볼 주제: ")])
def test_related_topics_are_named_by_titles_that_are_found(language, line):
    out = " ".join(attntrace("explain", "attention", "--lang", language).out.split())
    titles = re.split("Try next|다음에 해", out.partition(line.split(":")[0] + ": ")[2])[0].strip().split("; ")
    assert line in out and [topic_called(title) for title in titles] == list(TOPICS["attention"].see)


@pytest.mark.parametrize("arguments, way_out", [
    (("explain", "zebra"), "there is no topic zebra; attntrace explain lists all"),
    (("explain", "얼룩말"), "there is no topic 얼룩말; attntrace explain lists all"),
    (("zebra",), "there is no command zebra; attntrace --help lists all"),
    (("trace", "a", "--zebra"), "there is no option --zebra; see attntrace trace --help"),
    (("trace", "a", "--norm", "zebra"), "--norm is zebra; it must be post, pre or none"),
    (("trace", "a", "-o", "a.zebra"), "which this command cannot write; use .txt, "),
    (("trace", "a", "--only", "zebra"), "--only zebra matches no step; attntrace steps lists the steps of a trace"),
    (("trace", "a", "--token", "zebra"), "no such word; give one of its words, or a position from 1 to 1"),
    (("trace", "a", "--set", "zebra:1,1=2"), "there is no such parameter; write "),
    (("why", "zebra:1,1"), "no step or parameter zebra; attntrace steps lists the steps of a trace"),
    (("why", "encoder.input:zebra,1"), "has no zebra here; give one of 어제, 카페, 갔었어, or a position from 1 to 3"),
    (("trace", "zebra", "--weights", "samples/pencil.json"), "does not contain zebra; its words: ")])
def test_where_nothing_is_near_nothing_is_suggested(arguments, way_out):
    assert way_out in refusal(*arguments)


@pytest.mark.parametrize("arguments, near", [
    (("explain", "소프트멕스"), "소프트맥스(softmax)?)"), (("explain", "임배딩"), "임베딩"), (("explain", "--langg"), "--lang"),
    (("explain", "atention"), "attention"), (("explain", "어텐숀"), "어텐션"), (("tarce",), "trace"), (("tr",), "trace"),
    (("trace", "a", "--hed", "1"), "--head"), (("trace", "a", "--norm", "por"), "pre"),
    (("trace", "a", "-o", "a.jsnol"), ".jsonl"), (("trace", "a cat", "--token", "cta"), "cat"),
    (("trace", "a", "--only", "head2.scorse"), "encoder.layer1.self_attention.head2.scores"),
    (("trace", "a", "--only", "encoder.layer1"), "encoder.layer1.*"),
    (("why", "output.probabilities:1,caffe"), "cafe"), (("trace", "a", "--set", "encoder.F:1,1=2"), "encoder.E")])
def test_what_is_near_is_suggested_first(arguments, near):
    assert f"(did you mean {near}" in refusal(*arguments)


@pytest.mark.parametrize("arguments, said", [
    (("backprop", "a", "--target", "b"), "--target; give TARGET without it: attntrace backprop SOURCE TARGET;"),
    (("weights", "info", "--weights", "ko-en"), "--weights; give FILE without it: attntrace weights info FILE;"),
    (("backprop", "a", "b", "--from", "x"), "no option --from here; it belongs to: play, why, show, ...;"),
    (("trace", "a", "--no-final-nrm"), "no option --no-final-nrm (did you mean --no-final-norm"),
    (("trace", "a", "--words"), "no option --words here; it belongs to: weights info;"),
    (("compare", "a", "--what-if", "--epochs 3"), "--epochs here; it belongs to: train;"),
    (("--quiet",), "no option --quiet here; it belongs to: trace, steps, translate, ...; see attntrace --help")])
def test_an_option_of_another_command_is_reported_with_its_place(arguments, said):
    assert said in refusal(*arguments)


@pytest.mark.parametrize("word, meant", [
    ("부산에", "부산"), ("나", "나는"), ("카페를", "카페"), ("갔었어요", "갔었어"), ("갔습니다", "갔어"), ("어재", "어제"), ("봣어", "봤어"),
    ("엄마", "엄마는"), ("갔다", "갔어"), ("갔었다", "갔었어"), ("봤다", "봤어"), ("먹엇어", "먹었어"),
    ("숙제했어", "숙제 했어"), ("갈거야", "갈 거야"), ("안갔어", "안 갔어"), ("다음주에", "다음 주에")])
def test_an_unknown_korean_word_leads_to_the_known_ones_of_its_stem_or_its_letters(word, meant):
    error = refusal("translate", f"어제 {word}", *READS_WORDS)
    assert re.search(rf" {word} \(it contains (.*, )?{meant}[,)]", error), error


@pytest.mark.parametrize("word", ["점심", "ㅋㅋ", "😊", "cafe", "昨日", "날씨", "하다", "바닷", "마제", "xplain"])
def test_of_a_word_that_is_far_from_all_nothing_is_said(word):
    assert nearest(word, SOURCE) == []


def test_what_is_near_begins_as_the_word_does_and_best_with_its_first_syllable():
    for word in SOURCE:
        for other in ("바" + word[1:], word[:-1] + "다"):
            near = nearest(other, SOURCE)
            shared = [one[0] == other[0] for one in near]
            assert shared == sorted(shared, reverse=True), (other, near)
            assert all(unicodedata.normalize("NFD", one)[0] == unicodedata.normalize("NFD", other)[0] for one in near)
    assert "바다" not in refusal("translate", "어제 갔다", *READS_WORDS)


def test_all_unknown_words_of_a_sentence_are_named_at_once_with_the_command_that_lists_the_known_ones():
    error = refusal("translate", "어재. 점심 부산에 갔었어~", "--lang", "ko", *READS_WORDS)
    assert '어재(어휘에 있는 단어: 어제, 언제), 점심, 부산에(어휘에 있는 단어: 부산), "." (어휘에 있는 문장 부호: ?; 다른 부호는 빼세요)' in error
    assert error.endswith(f"attntrace weights info {word_model()} --words\n")
    error = attntrace("translate", "--quiet", *READS_WORDS, stdin="어제 카페 갔었어\n없는 단어\n".encode()).err
    assert "line 2 of standard input: " in error and "no word of this sentence is" in error


@pytest.mark.parametrize("typed, instead", [
    ("부산에 숙제했어?", "부산 숙제 했어?"), ("학 교 갔어", "학교 갔어"), ("점심 갔어", ""), ("어재 갔어", "")])
def test_where_every_unknown_word_has_a_form_with_the_same_beginning_the_sentence_to_type_is_said(typed, instead):
    error = refusal("translate", typed, *READS_WORDS)
    assert f'try "{instead}"' in error if instead else "try" not in error
    assert attntrace("translate", instead or "집 갔어", "-q", *READS_WORDS).code == 0


FOLDED = [("갔었어？", "갔었어?", "？"), ("갔었어．", "갔었어", "．"), ("갔었어 ...!", "갔었어", ". !"), ("갔었어。ㅋㅋ", "갔었어", "。 ㅋㅋ"),
          ("갔었어ㅠㅠ?", "갔었어?", "ㅠㅠ"), ("， 갔었어~～ ♥ 👍🏽 👨‍👩‍👧 ^^", "갔었어", "， ~ ～ ♥ 👍🏽 👨‍👩‍👧 ^")]


@pytest.mark.parametrize("typed, read, changed", FOLDED)
def test_signs_that_add_little_are_left_out_where_a_model_does_not_know_them_and_a_line_says_so(typed, read, changed):
    done = attntrace("translate", f"어제 카페 {typed}", "-q", *READS_WORDS)
    assert done.out == attntrace("translate", f"어제 카페 {read}", "-q", *READS_WORDS).out
    assert done.err == f'Read as "어제 카페 {read}" (not in the source vocabulary: {changed}).\n'
    words = tuple(tokenize(typed))
    assert Reader().read(typed, vocabulary(words), "source", "") == (list(words), [])  # which this one knows
    pieces = vocabulary(["어제", "카페", "갔", "##었어", "##ㅋ", "?"])
    assert Reader().read(typed, pieces, "source", "")[0] == ["갔", "##었어", *["?"] * read.endswith("?")]


@pytest.mark.parametrize("sign, shown", [("-", '"-"'), ("“", '"“"'), ("\u200b", '"\\u{200B}"'), (". 집 갔어", '"."')])
def test_a_sign_that_a_model_does_not_know_and_that_means_something_is_named_and_not_dropped(sign, shown):
    error = refusal("translate", f"어제 카페 갔었어{sign}", *READS_WORDS)
    assert f"does not contain {shown} (its only punctuation: ?; leave out all other punctuation)" in error
    with pytest.raises(Problem) as caught:
        look_up(["a", sign], vocabulary(["a"]), "source")
    assert "(it contains no punctuation; leave punctuation out)" in str(caught.value)


def test_a_wide_sign_is_the_usual_one_where_a_model_knows_only_that():
    usual = prepare("어제 카페 갔었어?", weights=word_model())
    assert prepare("어제 카페 갔었어？", weights=word_model()).source == usual.source
    assert prepare("어제？").source.texts == ("어제", "？")


WORDS = {"source": SOURCE, "target": TARGET}


def test_words_go_through_a_pipe_one_in_a_line_with_side_and_id():
    lines = [line.split("\t") for line in attntrace("weights", "info", word_model(), "--words").out.splitlines()]
    assert lines == [[side, str(n), word] for side, known in WORDS.items() for n, word in enumerate(known, start=1)]


@pytest.mark.parametrize("columns", [60, 100])
def test_words_stand_on_a_terminal_in_columns_that_fit(columns):
    with terminal("weights", "info", word_model(), "--words", "--color", "never", columns=columns) as screen:
        code, out = screen.ends()
    listed = re.sub(r"Vocabulary of the \w+: \d+ words", "", out).split()
    assert code == 0 and sorted(listed) == sorted(word for known in WORDS.values() for word in known)
    wide = [sum(1 + (unicodedata.east_asian_width(char) == "W") for char in line) for line in out.splitlines()]
    assert columns - 20 < max(wide) <= columns and all(re.match(r"  \S|$", line) for line in out.splitlines())


SMALL = "a b", "--layers", "2"


def page(*arguments: str) -> list[str]:
    """What the command prints, without the command that the page begins with."""
    lines = attntrace(*arguments, "--width", "240").out.splitlines()
    assert lines[1].startswith(f"  $ attntrace {arguments[0]} ")
    return [lines[0], *lines[2:]]


@pytest.mark.parametrize("typed, address", [
    ("layer1*head1.z", "layer1.self_attention.head1.output"), ("layer2*head2.A", "layer2.self_attention.head2.weights"),
    ("layer1*head1.S", "layer1.self_attention.head1.scores"),
    ("layer1*head1.Ŝ", "layer1.self_attention.head1.scaled_scores"),
    ("layer1*head1.s_hat", "layer1.self_attention.head1.scaled_scores"), ("layer1.*.X'", "layer1.self_attention.norm"),
    ("X^(2)", "layer2.feed_forward.norm"), ("x⁽²⁾", "layer2.feed_forward.norm"), ("X", "input"), ("M", "output"),
    ("layer2.feed_forward.U_hat", "layer2.feed_forward.normalized"),
    ("layer1*.Q⁽²⁾", "layer1.self_attention.head2.query")])
def test_a_step_is_found_by_its_symbol_as_pages_write_it(typed, address, tmp_path):
    place = unicodedata.normalize("NFD", typed)
    assert page("why", f"{place}:1,1", *SMALL) == page("why", f"encoder.{address}:1,1", *SMALL)
    selected = attntrace("trace", *SMALL, "--only", typed, "--format", "csv").out
    assert selected == attntrace("trace", *SMALL, "--only", f"encoder.{address}", "--format", "csv").out


@pytest.mark.parametrize("typed, cell", [
    ("layer1*head1.q₁:2", "layer1.self_attention.head1.query:1,2"),
    ("layer2*head2.z2:1", "layer2.self_attention.head2.output:2,1"),
    ("layer1*head1.s_hat_2:b", "layer1.self_attention.head1.scaled_scores:2,2"),
    ("x⁽²⁾₁:8", "layer2.feed_forward.norm:1,8"), ("layer1.self_attention.μ₂", "layer1.self_attention.mean:2"),
    ("layer1*W_1:2,3", "layer1.feed_forward.W_1:2,3")])
def test_a_row_is_found_by_its_symbol_as_pages_write_it(typed, cell, tmp_path):
    file = str(tmp_path / "run.npz")
    attntrace("trace", *SMALL, "--save", file)
    for run in (SMALL, ("--from", file)):
        assert page("why", typed, *run) == page("why", f"encoder.{cell}", *run)
    number = attntrace("show", f"encoder.{cell}", "--from", file)
    assert number.code == 0 and attntrace("show", typed, "--from", file) == number


def test_the_symbol_of_a_row_selects_that_row():
    row = page("trace", *SMALL, "--only", "layer1*head1.q₂", "--no-explain")
    assert row == page("trace", *SMALL, "--only", "layer1*head1.q", "--token", "2", "--no-explain")
    assert "q₂ = x₂ W_Q" in "".join(row) and "q₁" not in "".join(row)
    assert "the last position is 2" in refusal("trace", *SMALL, "--only", "layer1*head1.q3")


@pytest.mark.parametrize("typed, address", [
    ("L", "loss.mean"), ("loss2", "loss.per_token:2"), ("∂L/∂logits₁:2", "gradient.output.logits:1,2")])
def test_the_symbols_of_the_loss_are_found_in_a_training_step(typed, address):
    pair = ("a cat", "--target", "un chat", "--label-smoothing", "0.1")
    assert page("why", typed, *pair) == page("why", address, *pair)
    assert "no step or parameter L;" in refusal("why", "L", "a cat")


def test_saved_runs_find_steps_by_symbols_as_well(tmp_path):
    file = str(tmp_path / "run.npz")
    attntrace("trace", "a b", "--save", file)
    by_address = attntrace("show", "head1.output:1", "--from", file)
    assert by_address.code == 0 and by_address.out
    assert attntrace("show", "head1.z:1", "--from", file).out.replace("head1.z", "head1.output") == by_address.out
    assert page("why", "head2.A:1,2", "--from", file) == page("why", "head2.weights:1,2", "--from", file)
    assert attntrace("show", "--from", file, "--only", "S", "--format", "csv").out == attntrace(
        "show", "--from", file, "--only", "scores", "--format", "csv").out


def test_an_address_has_precedence_over_a_symbol():
    assert "W_E" not in attntrace("why", "encoder.embedding:1,1", "a").err
    assert page("why", "E:1,1", "a") == page("why", "encoder.E:1,1", "a")  # a parameter
    assert page("trace", "a", "--only", "E") == page("trace", "a", "--only", "encoder.embedding")


@pytest.mark.parametrize("symbol, addresses", [
    ("S", ["encoder.layer1.self_attention.head1.scores", "encoder.layer1.self_attention.head2.scores"]),
    ("U", ["encoder.layer1.self_attention.residual", "encoder.layer1.feed_forward.residual"])])
def test_a_symbol_of_several_steps_is_answered_with_their_addresses(symbol, addresses):
    error = refusal("why", f"{symbol}:1,1", "a b")
    assert f"{symbol} matches 2 tensors: {', '.join(addresses)}; write more of the address" in error
