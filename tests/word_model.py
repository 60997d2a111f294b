"""A model with a vocabulary of whole words, which has learned nothing: what it reads, and what it refuses."""
import tempfile
from functools import cache
from pathlib import Path

from attntrace.files.weights import save
from attntrace.model.config import Config
from attntrace.model.parameters import Vocabularies, seeded

SOURCE = tuple("""
<s> </s> 아빠는 많이 운동해 ? 어제 여기 왔어 밤에 민수랑 집에서 게임 해 언제 학교 갈 거야 엄마랑 병원 요즘 친구랑 학교에서 축구 동생은
아까 집에 오늘 부산 안 갔었어 아침에 시장에 갔어 카페에 우유 좋아해 혼자 영화 봤어 우리는 잘 했어 민수는 내일 왜 공부 할 너는 어디서
커피 마셨어 가끔 가게 가 주말에 서울 다음 주에 공원에서 올 식당 차 오후에 시장 토요일에 매일 도서관에 와 누나는 엄마한테 전화 공원에
병원에 저녁에 버스 탈 나중에 집 도서관에서 공부할 시장에서 옷 살 친구는 학교에 볼 음악 들을 일할 누구랑 친구한테 전화할 도서관 누가
자주 숙제 어디 전화했어 빵 마실 카페에서 들어 잤어 전화해 지난주에 공원 영어 자 엄마는 가게에서 꽃 샀어 고기 먹을 항상 쉬었어
병원에서 일 텔레비전 봐 나는 신문 읽어 사 민수 만날 지하철 타 운동 라면 먹어 한국어 바다 어젯밤에 선생님 쉬어 만나 운동했어 식당에서
먹었어 뭐 책 탔어 일했어 운동할 들었어 카페 회사에서 읽었어 마셔 공부해 읽을 만났어 사과 밥 누구 일해 친구 쉴 공부했어 회사""".split())
TARGET = tuple("<s> </s> ? I you went ate met to the a home cafe park school Minsu yesterday today".split())


@cache
def word_model() -> str:
    """Write the model once; return its file."""
    file = Path(tempfile.mkdtemp()) / "words.npz"
    config, vocabularies = Config(d_model=4, heads=1, d_ff=4), Vocabularies(SOURCE, TARGET)
    with file.open("wb") as out:
        save(out, config, vocabularies, seeded(config, vocabularies, 0))
    return str(file)
