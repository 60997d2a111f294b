"""What people do: verbs, what they take, where and when. Every row is a phrase that can be said of somebody.

Written for attntrace; MIT licence, as the rest of it."""
from typing import NamedTuple

import nouns
from nouns import Noun, Person, Place


class Act(NamedTuple):
    stem: str  # 먹, 공부하
    en: str  # eat {one}: the object as in Noun; {whom}, {to}, {at}
    objects: tuple[Noun, ...] = ()
    light: str = ""  # 공부 of 공부하다: 공부 안 해, 공부 했어
    whom: tuple[Person, ...] = ()  # 친구를; with `dative` 친구한테
    dative: str = ""
    to: tuple[Place, ...] = ()
    toward: str = "에?"  # the particle of `to`; with ? it can be left out
    at: tuple[Place, ...] = ()
    company: bool = False  # 친구랑
    manner: tuple[str, ...] = ()
    when: str = "day part"
    kind: str = "act"  # act: now is -ing; state: simple; event: not willed
    generic: bool = False  # 커피 안 마셔: I don't drink coffee
    able: bool = True  # -ㄹ 수 있다 is said of it
    favour: str = ""  # the English of -아 주세요: open {that}
    ongoing: bool = False  # 요즘 …고 있어
    weight: int = 2  # its share of the pairs
    never: tuple[str, ...] = ()  # forms that are not said of it
    dislike: bool = False  # said without 안, but not in English
    own: str = ""  # the object in Korean has no noun of the tables: 감기


def at(names: str) -> tuple[Place, ...]:
    return tuple(nouns.PLACE[name] for name in names.split())


def of(nouns_: tuple[Noun, ...], names: str) -> tuple[Noun, ...]:
    found = tuple(noun for noun in nouns_ if noun.ko in names.split())
    assert len(found) == len(names.split()), names
    return found


def some(text: str) -> tuple[Noun, ...]:
    """Nouns that only one verb takes."""
    return tuple(Noun(*entry.split(":")) for entry in text.split(", "))


N = nouns
IT = ("habit", "fut", "can", "cannot", "may", "dont", "mustnt", "neednt", "rae", "ge", "order")  # to eat *it*
FOOD = N.DISH + N.SNACK + N.FRUIT
EATING = at("집 식당 학교 회사 공원")
GOALS = N.PLACES + N.CITIES + N.COUNTRIES + N.VISITED
HERE = at("카페 학교 집 회사 도서관 공원 병원 서울 부산 교회 학원")
PEOPLE = N.FAMILY + N.NAMES + N.FRIEND + N.people("선생님, 남자 친구, 여자 친구, 친구들, 부모님, 남편, 아내")
LIKED = tuple(person for person in PEOPLE if person.ko not in ("친구", "친구들"))
CALLED = tuple(person for person in PEOPLE if person.ko not in ("친구들",))
LIKINGS = some("영화:movies:p, 음악:music:u, 노래:songs:p, 꽃:flowers:p, 운동:exercise:u, 여행:traveling:u, 책:books:p, "
               "게임:games:p, 드라마:dramas:p, 비:rain:u, 눈:snow:u, 바다:the sea:u, 산:mountains:p")

ACTS = (
    # eating and drinking
    Act("먹", "eat {one}", FOOD + N.VEGETABLE, at=EATING, company=True, manner=("많이", "조금", "빨리", "천천히", "혼자", "또"),
        generic=True, weight=22),
    Act("먹", "eat {one}", N.MEAL, at=EATING, company=True, manner=("일찍", "늦게", "혼자"), when="day hour", able=False,
        weight=10),
    Act("먹", "eat", own="밥", at=EATING, company=True, manner=("많이", "빨리", "천천히", "혼자", "조금"), weight=14),
    Act("먹", "take the medicine", own="약", when="day part", able=False, weight=4,
        never=("rae", "shall", "lets", "prog")),
    Act("마시", "drink {one}", N.DRINK, at=at("집 카페 회사 학교"), company=True, manner=("많이", "조금", "천천히", "또"), generic=True,
        weight=14),
    Act("만들", "make {one}", of(N.DISH + N.SNACK, "김치 빵 샌드위치 샐러드 피자 김밥 케이크 쿠키 떡볶이 만두 비빔밥"), at=at("집"), company=True,
        manner=("많이", "또"), favour="make {one}", weight=5),
    Act("요리하", "cook", light="요리", at=at("집"), company=True, manner=("같이", "혼자"), weight=4),
    Act("시키", "order {one}", of(N.DISH + N.DRINK, "피자 치킨 짜장면 커피 주스 콜라"), manner=("또",), weight=3),
    Act("먹", "eat", at=EATING, company=True, manner=("많이", "혼자", "조금", "빨리", "천천히", "같이"), weight=8, never=IT),
    Act("마시", "drink it", weight=2, never=("habit", "must", "mustpast", "prog"), at=at("카페 집")),
    Act("보", "see it", kind="event", manner=("또",), when="day", weight=3),
    Act("읽", "read it", never=("habit",), manner=("다시", "빨리"), weight=3, at=at("집 도서관")),
    Act("사", "buy it", never=("habit",), manner=("또",), at=at("시장 백화점 가게 마트"), when="day part week", weight=4),
    Act("하", "do it", never=("habit", "pres"), manner=("빨리", "혼자", "다시", "같이"), when="day part", weight=4,
        at=at("집 학교")),
    Act("만나", "meet", kind="together", at=at("카페 학교 공원 도서관 식당 역 시장 집 영화관"), when="day part week clock", weight=7),
    # going and coming
    Act("가", "go {to}", to=GOALS + N.BARE[1:], company=True, manner=("빨리", "일찍", "혼자", "같이", "다시", "또"),
        when="day part week month clock", weight=34),
    Act("가", "go {to}", to=N.BARE[:1], company=True, manner=("빨리", "일찍", "혼자", "같이", "늦게"), when="day part clock",
        weight=8),
    Act("가", "go", company=True, manner=("빨리", "일찍", "혼자", "같이", "다시"), when="day part week clock", weight=8),
    Act("오", "come {to}", to=HERE, company=True, manner=("빨리", "일찍", "늦게", "혼자", "또"), when="day part week clock",
        kind="coming", weight=14, favour="come {to}"),
    Act("오", "come", company=True, manner=("빨리", "일찍", "늦게", "혼자", "또", "다시"), when="day part week clock",
        kind="coming", weight=10, favour="come"),
    Act("돌아가", "go back {to}", to=at("집 학교 회사 한국 서울 부산 미국"), manner=("빨리", "일찍"), when="day part week month",
        toward="에", weight=3),
    Act("돌아오", "come back {to}", to=at("집 한국 서울 학교"), toward="에", kind="coming", manner=("빨리", "늦게", "일찍"),
        when="day part week month", weight=3),
    Act("나가", "go out", manner=("혼자", "일찍", "같이"), company=True, weight=4),
    Act("다니", "go {to}", to=at("학교 회사 교회 학원 대학교 헬스장 도서관"), toward="에?", kind="state", when="", able=False, weight=5),
    Act("출발하", "leave", light="출발", manner=("일찍", "늦게", "빨리", "같이"), when="day part clock", weight=4),
    Act("도착하", "arrive {at}", to=at("집 학교 회사 공항 역 서울 부산"), toward="에", kind="event", manner=("일찍", "늦게"),
        when="day part clock", weight=4),
    Act("이사하", "move", light="이사", when="week month year", able=False, weight=3, never=("order", "dont", "may")),
    Act("여행하", "travel", light="여행", at=N.COUNTRIES + at("제주도"), company=True, manner=("혼자",), when="week month year",
        weight=4, ongoing=True),
    Act("산책하", "take a walk", light="산책", at=at("공원"), company=True, manner=("혼자",), when="day part week clock",
        weight=5),
    Act("걷", "walk", at=at("공원"), company=True, manner=("많이", "빨리", "천천히", "오래", "혼자"), when="day part", weight=5),
    Act("뛰", "run", at=at("공원 운동장"), manner=("빨리", "많이", "천천히"), weight=4, company=True),
    Act("걸어가", "walk {to}", to=at("집 학교 회사 역 도서관 시장 공원"), toward="에", manner=("혼자", "천천히", "같이"), company=True,
        weight=3, never=("pres", "order")),
    # people
    Act("만나", "meet {whom}", whom=PEOPLE, at=at("카페 학교 공원 도서관 식당 역 서울 부산 시장 영화관 백화점"), manner=("또", "다시"),
        when="day part week month clock", weight=20),
    Act("기다리", "wait for {whom}", whom=PEOPLE, at=at("카페 학교 집 역 공원 도서관"), manner=("오래",), weight=6),
    Act("기다리", "wait", manner=("오래", "조금"), at=at("집 카페 역"), favour="wait", weight=4),
    Act("기다리", "wait for {that}", some("버스:bus:the, 기차:train:the, 지하철:subway:the, 택시:taxi:the"), manner=("오래",),
        weight=3),
    Act("전화하", "call {whom}", light="전화", whom=CALLED, dative="한테", manner=("다시", "또"), when="day part clock",
        favour="call {whom}", weight=8),
    Act("도와주", "help {whom}", whom=PEOPLE, manner=("많이", "또"), weight=5, favour="help {whom}"),
    Act("말하", "tell {whom}", light="말", whom=CALLED, dative="한테", manner=("다시",), favour="tell {whom}", weight=5),
    Act("이야기하", "talk with {whom}", light="이야기", whom=PEOPLE, dative="랑", manner=("많이", "오래"), weight=5,
        at=at("카페 집 학교")),
    Act("물어보", "ask {whom}", whom=CALLED, dative="한테", manner=("다시", "또"), weight=4, favour="ask {whom}"),
    Act("초대하", "invite {whom}", light="초대", whom=PEOPLE, when="day week", weight=4),
    Act("놀", "play", at=at("집 공원 학교 운동장"), company=True, manner=("같이", "혼자", "많이"), when="day part week", weight=7),
    Act("결혼하", "get married", light="결혼", when="month year week", able=False, weight=3,
        never=("order", "please", "may", "prog", "dont")),
    Act("싸우", "fight", company=True, manner=("또", "많이"), kind="act", able=False, weight=3,
        never=("please", "rae", "lets", "shall", "may", "want", "wanted", "must", "ge", "order", "prog")),
    Act("찾아가", "visit {whom}", whom=N.people("할머니, 할아버지, 이모, 삼촌, 선생님, 친구"), when="day week month", weight=2),
    Act("주", "give {whom} {one}", N.GIVEN, whom=CALLED, dative="한테", when="day part", weight=6,
        favour="give {whom} {one}"),
    Act("보내", "send {whom} {one}", N.SENT, whom=CALLED, dative="한테", when="day part", weight=5,
        favour="send {whom} {one}"),
    # study and work
    Act("공부하", "study", light="공부", at=at("집 도서관 학교 카페"), company=True, manner=("열심히", "많이", "혼자", "같이"),
        when="day part week", ongoing=True, weight=9),
    Act("공부하", "study {one}", N.LANGUAGE + N.SUBJECT, light="공부", at=at("집 도서관 학교 카페 학원"), company=True,
        manner=("열심히", "많이", "혼자"), when="day part week", ongoing=True, weight=9),
    Act("배우", "learn {one}", N.LANGUAGE + N.LESSON + N.RACKET[:2], at=at("학교 학원"), company=True, when="week year",
        ongoing=True, weight=6),
    Act("배우", "learn {one}", N.INSTRUMENT + N.VIOLIN, at=at("학원 학교"), when="week year", ongoing=True, weight=3),
    Act("가르치", "teach {one}", N.LANGUAGE + N.SUBJECT, at=at("학교 학원"), kind="state", when="", weight=3, ongoing=True),
    Act("일하", "work", light="일", at=at("집 카페 은행 식당 병원 백화점 가게 편의점"), manner=("열심히", "많이", "늦게", "같이"),
        when="day part week", kind="work", ongoing=True, weight=8),
    Act("숙제하", "do {my} homework", light="숙제", at=at("집 학교 도서관"), company=True, manner=("빨리", "혼자", "같이"), weight=9),
    Act("보", "take a test", own="시험", when="day week part", able=False, weight=4,
        never=("please", "lets", "shall", "rae", "prog", "may", "order", "dont", "ge")),
    Act("연습하", "practice", light="연습", at=at("집 학교 학원"), company=True, manner=("열심히", "많이"), weight=4,
        ongoing=True),
    Act("준비하", "get ready", light="준비", manner=("빨리", "일찍"), weight=3),
    Act("읽", "read {one}", N.READ, at=at("집 도서관 카페 학교"), manner=("많이", "천천히", "다시", "빨리"), when="day part", weight=9,
        favour="read {one}"),
    Act("쓰", "write {one}", some("편지:letter:a, 이메일:email:a, 메모:note:a"), at=at("집 카페 회사"), manner=("다시", "빨리"),
        weight=4),
    Act("쓰", "write a diary", own="일기", at=at("집"), weight=3),
    Act("외우", "memorize {one}", some("단어:words:p, 노래:the song:u, 번호:the number:u"), weight=2),
    Act("질문하", "ask a question", light="질문", manner=("또", "다시"), weight=2),
    Act("발표하", "give a presentation", light="발표", at=at("학교 회사"), when="day week part clock", weight=2,
        never=("please",)),
    Act("회의하", "have a meeting", light="회의", at=at("회사"), when="day part clock week", weight=3, never=("please",)),
    Act("졸업하", "graduate", light="졸업", when="year month", able=True, weight=2, kind="event"),
    # media
    Act("보", "watch {one}", N.WATCHED, at=at("집 영화관 극장"), company=True, manner=("많이", "같이", "혼자", "다시", "또"),
        when="day part week", generic=True, weight=13),
    Act("듣", "listen to {one}", N.HEARD, at=at("집 카페"), company=True, manner=("많이", "같이", "혼자"), generic=True,
        weight=7),
    Act("부르", "sing {one}", some("노래:song:a"), at=at("노래방 집"), company=True, manner=("또", "같이", "다시"), weight=4),
    Act("찍", "take {one}", some("사진:picture:a"), at=at("공원 바다 집"), company=True, manner=("많이", "같이", "다시", "또"),
        weight=5, favour="take {one}"),
    Act("그리", "draw {one}", some("그림:picture:a, 꽃:flowers:p, 고양이:cat:a, 지도:map:a"), manner=("다시", "또"), weight=4,
        at=at("집 학교 공원")),
    Act("게임하", "play games", light="게임", at=at("집"), company=True, manner=("많이", "혼자", "같이", "또"),
        when="day part week", weight=8),
    Act("춤추", "dance", light="춤", company=True, manner=("잘", "같이", "많이"), weight=3),
    Act("노래하", "sing", light="노래", manner=("잘", "많이", "같이"), company=True, at=at("노래방"), weight=3),
    # sport
    Act("하", "play {one}", N.SPORT, at=at("공원 학교 운동장"), company=True, manner=("많이", "같이", "또"),
        when="day part week clock", weight=11, generic=True),
    Act("치", "play {one}", N.RACKET, at=at("공원 학교"), company=True, manner=("같이", "또", "많이"), when="day part week",
        generic=True, weight=5),
    Act("치", "play {one}", N.INSTRUMENT, at=at("집 학교"), company=True, manner=("또", "많이"), when="day part", weight=4),
    Act("운동하", "exercise", light="운동", at=at("집 공원 헬스장 학교"), company=True, manner=("열심히", "많이", "혼자", "같이"),
        when="day part week clock", generic=True, weight=9, ongoing=True),
    Act("수영하", "swim", light="수영", at=at("바다 수영장"), company=True, manner=("많이", "같이", "혼자"), when="day part week",
        weight=6),
    Act("등산하", "go hiking", light="등산", company=True, manner=("혼자", "같이"), when="day week", weight=4),
    Act("타", "ski", own="스키", company=True, when="week year", weight=2, never=("please",)),
    Act("이기", "win", kind="event", when="day week", manner=("또",), weight=3),
    Act("지", "lose", kind="event", when="day week", manner=("또",), weight=2),
    # things
    Act("사", "buy {one}",
        N.THING + N.CLOTHES + N.FOOTWEAR + N.HEADWEAR[:1] + N.OTHER_WEAR + N.HOUSEHOLD
        + some("꽃:flowers:p, 선물:present:a, 약:medicine:u, 자전거:bicycle:a, 차:car:a, 컴퓨터:computer:a, 냉장고:fridge:a"),
        at=at("시장 백화점 가게 마트"), company=True, manner=("많이", "또"), when="day part week", weight=18, never=("habit",),
        favour="buy me {one}"),
    Act("사", "buy {one}", N.DISH[2:5] + N.SNACK[:5] + N.FRUIT + N.VEGETABLE + of(N.DRINK, "커피 물 우유 주스 콜라"),
        at=at("시장 마트 편의점 가게"), company=True, manner=("많이", "또"), weight=9, favour="buy me {one}"),
    Act("팔", "sell {one}", some("꽃:flowers:p, 옷:clothes:p, 과일:fruit:u, 차:my car:u, 빵:bread:u, 커피:coffee:u"),
        kind="work", at=at("시장 가게"), weight=3, when="", never=("please", "lets", "shall")),
    Act("쇼핑하", "go shopping", light="쇼핑", at=at("백화점 시장"), company=True, manner=("혼자", "같이", "많이"),
        when="day part week", weight=6),
    Act("찾", "look for {my}", N.THING[:13], able=False, manner=("다시", "같이"), at=at("집 방"), weight=5,
        favour="find {my}"),
    Act("잃어버리", "lose {my}", N.THING[:16], kind="event", manner=("또",), at=at("학교 공원"), when="day part week", weight=5),
    Act("가져오", "bring {my}", N.THING[:14], weight=5, favour="bring {my}", never=("lets", "shall")),
    Act("빌리", "borrow {one}", N.THING[:1] + of(N.THING, "우산 연필 볼펜 지우개 카메라 노트북 사전") + some("자전거:bicycle:a, 돈:money:u"),
        weight=4, manner=("또",), favour=""),
    Act("빌려주", "lend {whom} {one}", of(N.THING, "책 우산 연필 볼펜 지우개 카메라") + some("자전거:bicycle:a, 돈:money:u"), whom=CALLED,
        dative="한테", weight=4, favour="lend {whom} {one}"),
    Act("고치", "fix {that}", some("컴퓨터:computer:a, 자전거:bicycle:a, 시계:watch:a, 의자:chair:a, 문:door:a, 냉장고:fridge:a"),
        weight=4, favour="fix {that}", manner=("다시", "빨리")),
    Act("받", "get {one}", some("선물:present:a, 편지:letter:a, 메시지:message:a, 이메일:email:a, 돈:money:u, 꽃:flowers:p"),
        kind="event", manner=("많이", "또"), weight=5),
    Act("받", "answer the phone", own="전화", when="near", weight=3, never=("pres", "prog", "habit", "lets", "lately")),
    Act("쓰", "use {one}", some("컴퓨터:the computer:u, 핸드폰:my phone:u, 카드:my card:u, 노트북:my laptop:u, 사전:a dictionary:u"),
        weight=3, never=("lets", "shall")),
    # clothes
    Act("입", "wear {one}", N.CLOTHES, kind="wear", when="day", weight=6),
    Act("신", "wear {one}", N.FOOTWEAR, kind="wear", when="day", weight=4),
    Act("쓰", "wear {one}", N.HEADWEAR, kind="wear", when="day", weight=3),
    Act("갈아입", "change {my} clothes", own="옷", weight=2, manner=("빨리", "다시")),
    Act("벗", "take off {my}", some("신발:shoes:p, 모자:hat:a, 코트:coat:a, 양말:socks:p, 재킷:jacket:a, 마스크:mask:a"),
        when="near", kind="switch", weight=3, favour="take off {my}"),
    # at home
    Act("자", "sleep", at=at("집"), manner=("많이", "잘", "일찍", "조금", "오래"), when="night", weight=12),
    Act("자", "take a nap", own="낮잠", at=at("집"), when="day part", weight=3),
    Act("일어나", "get up", manner=("일찍", "늦게", "빨리"), when="morning", weight=9),
    Act("씻", "wash {my} hands", own="손", manner=("빨리", "다시", "잘"), weight=3, when="near"),
    Act("씻", "wash up", manner=("빨리",), weight=3, when="near"),
    Act("닦", "brush {my} teeth", own="이", manner=("빨리",), weight=3, when="near"),
    Act("감", "wash {my} hair", own="머리", weight=3, when="day part"),
    Act("자르", "get a haircut", own="머리", when="day week", weight=3, at=at("미용실")),
    Act("샤워하", "take a shower", light="샤워", manner=("빨리",), weight=5, when="near part", at=at("집")),
    Act("쉬", "rest", at=at("집 공원 카페"), company=True, manner=("많이", "조금", "잘"), when="day part week", weight=8),
    Act("청소하", "clean {that}",
        some("방:the room:u, 집:the house:u, 부엌:the kitchen:u, 화장실:the bathroom:u, 교실:the classroom:u"), light="청소",
        company=True, manner=("혼자", "같이", "다시"), when="day part week", weight=5, favour="clean {one}"),
    Act("청소하", "clean", light="청소", manner=("같이", "혼자"), company=True, when="day part week", weight=4),
    Act("빨래하", "do the laundry", light="빨래", at=at("집"), company=True, when="day part week", weight=4,
        manner=("혼자", "또")),
    Act("설거지하", "do the dishes", light="설거지", company=True, manner=("혼자", "같이", "빨리"), weight=4),
    Act("열", "open {that}", N.DOOR, manner=("다시",), weight=5, when="near", kind="switch", favour="open {that}"),
    Act("닫", "close {that}", N.DOOR, manner=("빨리",), weight=5, when="near", kind="switch", favour="close {that}"),
    Act("켜", "turn on {that}", N.MACHINE, manner=("다시",), weight=5, when="near", kind="switch",
        favour="turn on {that}"),
    Act("끄", "turn off {that}", N.MACHINE, manner=("빨리",), weight=5, when="near", kind="switch",
        favour="turn off {that}"),
    Act("앉", "sit down", manner=("빨리", "같이", "다시"), when="near", kind="switch", weight=3,
        never=("prog", "pastprog", "habit")),
    Act("앉", "sit here", own="여기", manner=("같이",), when="near", kind="switch", weight=3, never=("habit",)),
    Act("버리", "throw away {one}", some("쓰레기:the trash:u, 종이:the paper:u, 신발:the shoes:u, 상자:the box:u"), when="day",
        weight=2),
    Act("키우", "have {one}", N.PET, kind="state", at=at("집"), when="", weight=4,
        never=("please", "dont", "order", "shall", "lets")),
    Act("심", "plant {one}", some("꽃:flowers:p, 나무:a tree:u"), company=True, at=at("공원 학교"), when="day week year",
        weight=2),
    # vehicles
    Act("타", "take {one}", N.VEHICLE, company=True, manner=("같이",), when="day part", generic=True, weight=7),
    Act("타", "ride {one}", N.RIDE, at=at("공원"), company=True, manner=("같이",), when="day part week", weight=4),
    Act("운전하", "drive", light="운전", manner=("천천히", "빨리"), weight=5, when="day part"),
    Act("내리", "get off here", own="여기서", when="", weight=2, never=("habit", "pastprog", "prog")),
    # mind and feelings
    Act("좋아하", "like {all}",
        FOOD + N.VEGETABLE + N.DRINK[:1] + N.DRINK[2:] + N.SPORT + N.RACKET + N.SUBJECT + N.LANGUAGE + N.ANIMAL
        + N.SEASON + N.CLOTHES[:1] + LIKINGS,
        kind="state", manner=("많이",), when="", weight=26, never=("past",)),
    Act("싫어하", "like {all}",
        FOOD[:12] + N.VEGETABLE + N.SUBJECT + N.ANIMAL + of(N.DRINK, "커피 우유 차 콜라 맥주 술 녹차") + N.SEASON
        + some("운동:exercise:u, 비:rain:u, 숙제:homework:u, 병원:hospitals:p"), kind="state", when="", weight=9,
        dislike=True, never=("past",)),
    Act("좋아하", "like {whom}", whom=LIKED, kind="state", never=("past",), manner=("많이",), when="", weight=5),
    Act("사랑하", "love {whom}", whom=LIKED, kind="state", never=("past",), manner=("많이",), when="", weight=4),
    Act("알", "know {whom}", whom=N.NAMES, kind="know", when="", manner=("잘",), weight=4),
    Act("보", "see {whom}", whom=PEOPLE, at=at("학교 시장 도서관 공원 카페 서울"), kind="event", when="day part week", manner=("또",),
        weight=5),
    Act("울", "cry", kind="feeling", manner=("많이", "또", "혼자"), when="day part", weight=4),
    Act("웃", "laugh", kind="feeling", manner=("많이", "또"), when="day", weight=3),
    Act("화내", "get angry", light="화", kind="feeling", manner=("또",), when="day", weight=2),
    Act("넘어지", "fall down", kind="event", manner=("또",), when="day part", weight=3, at=at("학교 집 공원")),
    Act("다치", "get hurt", kind="event", manner=("또",), when="day part week", weight=3, at=at("학교 집")),
    Act("걸리", "catch a cold", own="감기", kind="event", manner=("또",), when="day week month", weight=5),
    Act("잊어버리", "forget", kind="event", manner=("또",), when="", weight=3),
    # more of daily life
    Act("하", "do", at=at("집 학교 회사 공원 도서관"), company=True, when="day part week", weight=22),
    Act("살", "live {at}", to=N.CITIES + N.COUNTRIES, toward="에", kind="state", when="", weight=8, manner=("혼자",)),
    Act("이해하", "understand", light="이해", kind="mind", when="", able=False, weight=3),
    Act("기억하", "remember {whom}", light="기억", whom=N.NAMES + N.FRIEND
        + N.people("선생님, 이모, 할머니"), kind="mind", when="", weight=3),
    Act("믿", "believe {whom}", whom=N.NAMES + N.FRIEND + N.people("엄마, 아빠, 선생님, 형, 언니"), kind="mind", when="",
        weight=3),
    Act("대답하", "answer", light="대답", manner=("빨리", "다시"), when="", weight=3, never=("pres",)),
    Act("약속하", "promise", light="약속", when="", weight=2,
        never=("pres", "ge", "prog", "habit", "may", "rae", "shall", "pastprog")),
    Act("거짓말하", "tell a lie", light="거짓말", manner=("또",), when="day", weight=4, able=False,
        never=("please", "lets", "shall", "rae", "want", "wanted", "ge", "order", "must", "may", "fut", "already",
        "perfect", "mustpast", "neednt", "can")),
    Act("출근하", "go to work", light="출근", manner=("일찍", "늦게"), when="day clock", weight=5),
    Act("퇴근하", "leave work", light="퇴근", manner=("일찍", "늦게"), when="day clock", weight=5),
    Act("아르바이트하", "work part-time", light="아르바이트", at=at("카페 편의점 식당 빵집 영화관"), kind="work", when="day part week",
        ongoing=True, weight=4),
    Act("주문하", "order {one}", of(N.DISH + N.DRINK, "피자 치킨 불고기 비빔밥 냉면 커피 주스 맥주"), light="주문", manner=("또",), weight=4),
    Act("예약하", "reserve {that}", some("호텔:a hotel:u, 식당:a restaurant:u, 표:a ticket:u"), light="예약", when="day",
        weight=3),
    Act("내", "pay", own="돈", when="near", weight=3, never=("prog", "habit", "pastprog", "lets", "shall")),
    Act("끓이", "make {one}", some("라면:ramen:u, 국:soup:u, 찌개:stew:u"), at=at("집"), weight=3),
    Act("연락하", "contact {whom}", light="연락", whom=CALLED, dative="한테", manner=("다시",), when="day part",
        favour="contact {whom}", weight=4),
    Act("인사하", "say hello to {whom}", light="인사", whom=CALLED, dative="한테", when="", weight=3),
    Act("사과하", "apologize to {whom}", light="사과", whom=CALLED, dative="한테", manner=("다시",), when="day", weight=3),
    Act("세수하", "wash {my} face", light="세수", manner=("빨리",), when="near", weight=4),
    Act("화장하", "put on makeup", light="화장", when="near", weight=2),
    Act("데이트하", "go on a date", light="데이트", when="day part week", weight=3),
    Act("캠핑하", "go camping", light="캠핑", company=True, when="day week", weight=3),
    Act("낚시하", "go fishing", light="낚시", company=True, when="day week", weight=3),
    Act("파티하", "have a party", light="파티", at=at("집"), company=True, when="day week part", weight=4),
    Act("서두르", "hurry", when="", weight=2,
        never=("pres", "ge", "prog", "habit", "may", "pastprog", "can", "cannot", "already", "perfect")),
    Act("조심하", "be careful", light="조심", when="", kind="careful", weight=3),
    Act("피우", "smoke", own="담배", when="day", generic=True, weight=3,
        never=("please", "order", "lets", "shall", "must", "ge")),
    Act("바꾸", "change {that}", some("옷:my clothes:u, 전화번호:my phone number:u, 약속:our plans:u, 비밀번호:my password:u"),
        weight=3, when="day"),
    Act("고르", "choose {one}", some("선물:a present:u, 옷:clothes:p, 영화:a movie:u, 책:a book:u, 메뉴:the menu:u"),
        manner=("빨리", "같이", "다시"), weight=3),
    Act("데려오", "bring {whom}", whom=N.people("친구, 동생, 아이들, 여자 친구, 남자 친구"), when="day", weight=2),
    Act("구경하", "look around {that}", some("시장:the market:u, 백화점:the department store:u, 서울:Seoul:u, 박물관:the museum:u"),
        light="구경", company=True, manner=("같이", "혼자"), when="day week", weight=3),
    Act("나오", "come out", manner=("빨리", "일찍"), kind="coming", company=True, when="day part", favour="come out",
        weight=3),
    Act("들어오", "come in", manner=("빨리", "일찍", "늦게"), kind="coming", when="day part", favour="come in", weight=3),
    Act("내려가", "go down", manner=("빨리", "천천히", "같이"), when="", weight=2),
    Act("올라가", "go up", manner=("빨리", "천천히", "같이"), when="", weight=2),
    Act("눕", "lie down", when="near", weight=2, never=("lets", "shall", "habit", "prog", "pastprog")),
    Act("포기하", "give up", light="포기", when="", weight=2, never=("please", "prog", "habit", "pastprog", "may")),
    Act("헤어지", "break up", kind="event", when="day week month", weight=3),
    Act("합격하", "pass the test", light="합격", kind="event", when="day week year", weight=3),
    Act("취직하", "get a job", light="취직", kind="event", when="week month year", weight=2),
    Act("시작하", "start", light="시작", manner=("다시", "빨리", "일찍"), when="day part clock week", weight=4,
        never=("past", "pres", "perfect", "already")),
)
