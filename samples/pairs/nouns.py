"""Nouns: a line is Korean, English and what stands before the English: a (one of several), u (no article, no plural),
p (plural), the, or - (a name).

Written for attntrace; MIT licence, as the rest of it."""
from typing import NamedTuple

import english


class Noun(NamedTuple):
    ko: str
    en: str
    article: str

    @property
    def one(self) -> str:
        """What is eaten, bought, read: an apple, kimchi, shoes, the subway."""
        return english.a(self.en) if self.article == "a" else f"the {self.en}" if self.article == "the" else self.en

    @property
    def all(self) -> str:
        """What is liked: apples, kimchi, shoes, the subway."""
        return english.plural(self.en) if self.article == "a" else self.one

    @property
    def that(self) -> str:
        """What is opened: the window."""
        return self.en if self.article == "-" else f"the {self.en}"


class Place(NamedTuple):
    ko: str
    to: str  # behind go: to the cafe, home
    at: str  # at the cafe, at home, in Seoul


def _nouns(text: str) -> tuple[Noun, ...]:
    lines = [line.split(", ") for line in text.strip().splitlines()]
    return tuple(Noun(*fields) for line in lines for fields in (entry.split(":") for entry in line))


def _places(text: str) -> tuple[Place, ...]:
    return tuple(Place(*map(str.strip, line.split("|"))) for line in text.strip().splitlines())


MEAL = _nouns("""
아침:breakfast:u, 점심:lunch:u, 저녁:dinner:u
""")
DISH = _nouns("""
김치:kimchi:u, 라면:ramen:u, 빵:bread:u, 고기:meat:u, 생선:fish:u, 치킨:chicken:u, 불고기:bulgogi:u, 비빔밥:bibimbap:u
김밥:gimbap:u, 떡볶이:tteokbokki:u, 냉면:cold noodles:p, 국수:noodles:p, 피자:pizza:u, 햄버거:hamburger:a
샌드위치:sandwich:a, 샐러드:salad:u, 두부:tofu:u, 만두:dumplings:p, 볶음밥:fried rice:u, 파스타:pasta:u
짜장면:black bean noodles:p, 돈가스:pork cutlet:u, 국:soup:u, 떡국:rice cake soup:u, 죽:porridge:u, 카레:curry:u
""")
SNACK = _nouns("""
과자:snacks:p, 초콜릿:chocolate:u, 아이스크림:ice cream:u, 케이크:cake:u, 사탕:candy:u, 떡:rice cakes:p, 치즈:cheese:u
쿠키:cookies:p, 계란:egg:a, 고구마:sweet potato:a, 감자:potato:a
""")
FRUIT = _nouns("""
사과:apple:a, 바나나:banana:a, 오렌지:orange:a, 귤:tangerine:a, 복숭아:peach:a, 포도:grapes:p, 딸기:strawberries:p
수박:watermelon:u, 토마토:tomato:a, 과일:fruit:u
""")
VEGETABLE = _nouns("""
야채:vegetables:p, 당근:carrots:p, 양파:onions:p, 채소:vegetables:p
""")
DRINK = _nouns("""
커피:coffee:u, 물:water:u, 우유:milk:u, 차:tea:u, 주스:juice:u, 콜라:cola:u, 맥주:beer:u, 술:alcohol:u, 녹차:green tea:u
홍차:black tea:u, 와인:wine:u
""")
THING = _nouns("""
책:book:a, 가방:bag:a, 핸드폰:phone:a, 휴대폰:cell phone:a, 지갑:wallet:a, 열쇠:key:a, 우산:umbrella:a, 안경:glasses:p
시계:watch:a, 카메라:camera:a, 노트북:laptop:a, 연필:pencil:a, 볼펜:pen:a, 지우개:eraser:a, 공책:notebook:a, 카드:card:a
여권:passport:a, 이어폰:earphones:p, 충전기:charger:a, 마스크:mask:a, 표:ticket:a, 사전:dictionary:a, 필통:pencil case:a
""")
HOUSEHOLD = _nouns("""
의자:chair:a, 책상:desk:a, 침대:bed:a, 컵:cup:a, 접시:plate:a, 숟가락:spoon:a, 젓가락:chopsticks:p, 칫솔:toothbrush:a
수건:towel:a, 비누:soap:u, 거울:mirror:a, 인형:doll:a, 공:ball:a, 장난감:toy:a, 가위:scissors:p, 칼:knife:a
이불:blanket:a, 베개:pillow:a, 상자:box:a, 소파:sofa:a, 휴지:tissues:p, 냄비:pot:a
""")
CLOTHES = _nouns("""
옷:clothes:p, 바지:pants:p, 치마:skirt:a, 셔츠:shirt:a, 코트:coat:a, 원피스:dress:a, 스웨터:sweater:a, 재킷:jacket:a
교복:school uniform:a, 잠옷:pajamas:p, 청바지:jeans:p
""")
FOOTWEAR = _nouns("""
신발:shoes:p, 양말:socks:p, 운동화:sneakers:p, 구두:shoes:p, 부츠:boots:p
""")
HEADWEAR = _nouns("""
모자:hat:a, 안경:glasses:p, 마스크:mask:a
""")
OTHER_WEAR = _nouns("""
장갑:gloves:p, 목도리:scarf:a
""")
MACHINE = _nouns("""
텔레비전:TV:the, 티비:TV:the, 컴퓨터:computer:the, 에어컨:air conditioner:the, 불:light:the, 라디오:radio:the
""")
DOOR = _nouns("""
문:door:the, 창문:window:the
""")
VEHICLE = _nouns("""
버스:bus:the, 지하철:subway:the, 기차:train:the, 택시:taxi:a, 비행기:plane:a
""")
RIDE = _nouns("""
자전거:bicycle:a, 말:horse:a
""")
ANIMAL = _nouns("""
개:dog:a, 강아지:puppy:a, 고양이:cat:a, 새:bird:a, 토끼:rabbit:a, 물고기:fish:a, 소:cow:a, 돼지:pig:a, 닭:chicken:a
호랑이:tiger:a, 사자:lion:a, 곰:bear:a, 원숭이:monkey:a, 코끼리:elephant:a, 뱀:snake:a, 오리:duck:a, 쥐:mouse:a, 말:horse:a
""")
WILD = tuple(noun for noun in ANIMAL if noun.ko in ("호랑이", "사자", "곰", "원숭이", "코끼리", "뱀"))
PET = tuple(noun for noun in ANIMAL if noun.ko in ("개", "강아지", "고양이", "토끼", "새", "물고기"))
LANGUAGE = _nouns("""
영어:English:u, 한국어:Korean:u, 일본어:Japanese:u, 중국어:Chinese:u, 프랑스어:French:u
""")
SUBJECT = _nouns("""
수학:math:u, 과학:science:u, 역사:history:u, 미술:art:u
""")
SPORT = _nouns("""
축구:soccer:u, 농구:basketball:u, 야구:baseball:u, 배구:volleyball:u
""")
RACKET = _nouns("""
테니스:tennis:u, 배드민턴:badminton:u, 탁구:table tennis:u, 골프:golf:u
""")
INSTRUMENT = _nouns("""
피아노:piano:the, 기타:guitar:the, 드럼:drums:the
""")
VIOLIN = _nouns("""
바이올린:violin:the
""")
LESSON = _nouns("""
수영:to swim:u, 태권도:taekwondo:u, 요리:to cook:u, 운전:to drive:u, 요가:yoga:u, 스키:to ski:u, 춤:to dance:u
""")
WATCHED = _nouns("""
영화:movie:a, 드라마:drama:a, 텔레비전:TV:u, 티비:TV:u, 뉴스:news:the, 유튜브:YouTube:u, 만화:cartoons:p
축구 경기:soccer game:a, 공연:show:a
""")
READ = _nouns("""
책:book:a, 신문:newspaper:the, 만화책:comic book:a, 소설:novel:a, 잡지:magazine:a, 웹툰:webtoon:a
""")
HEARD = _nouns("""
음악:music:u, 라디오:radio:the, 노래:song:a
""")
SENT = _nouns("""
편지:letter:a, 메시지:message:a, 사진:picture:a, 이메일:email:a, 소포:package:a, 문자:text:a
""")
GIVEN = _nouns("""
선물:present:a, 꽃:flowers:p, 책:book:a, 사과:apple:a, 돈:money:u, 편지:letter:a, 과자:snacks:p, 사탕:candy:u, 물:water:u
""")
BODY = _nouns("""
머리:head:a, 배:stomach:a, 다리:legs:p, 팔:arm:a, 목:throat:a, 눈:eyes:p, 허리:back:a, 이:tooth:a, 발:feet:p, 손:hand:a
어깨:shoulder:a, 귀:ear:a, 무릎:knee:a
""")
JOB = _nouns("""
학생:student:a, 선생님:teacher:a, 의사:doctor:a, 간호사:nurse:a, 요리사:cook:a, 가수:singer:a, 배우:actor:a
회사원:office worker:a, 기자:reporter:a, 변호사:lawyer:a, 작가:writer:a, 군인:soldier:a, 경찰:police officer:a
화가:painter:a, 대학생:college student:a, 고등학생:high school student:a, 중학생:middle school student:a
""")
OWNED = _nouns("""
시간:time:u, 돈:money:u, 숙제:homework:u, 약속:plans:p, 회의:meeting:a, 질문:question:a, 수업:class:u
시험:test:a, 계획:plan:a, 꿈:dream:a, 열:fever:a, 비밀:secret:a
""")
COUNTRY = _nouns("""
한국:Korea:-, 미국:America:-, 일본:Japan:-, 중국:China:-, 영국:England:-, 프랑스:France:-, 캐나다:Canada:-
독일:Germany:-
""")
SEASON = _nouns("""
봄:spring:u, 여름:summer:u, 가을:fall:u, 겨울:winter:u
""")

PLACES = _places("""
카페|to the cafe|at the cafe
공원|to the park|in the park
도서관|to the library|at the library
식당|to the restaurant|at the restaurant
시장|to the market|at the market
가게|to the shop|at the shop
병원|to the hospital|at the hospital
은행|to the bank|at the bank
우체국|to the post office|at the post office
백화점|to the department store|at the department store
마트|to the supermarket|at the supermarket
편의점|to the convenience store|at the convenience store
영화관|to the movie theater|at the movie theater
극장|to the movie theater|at the movie theater
서점|to the bookstore|at the bookstore
약국|to the pharmacy|at the pharmacy
빵집|to the bakery|at the bakery
공항|to the airport|at the airport
역|to the station|at the station
헬스장|to the gym|at the gym
수영장|to the swimming pool|at the swimming pool
운동장|to the playground|on the playground
박물관|to the museum|at the museum
미술관|to the art museum|at the art museum
동물원|to the zoo|at the zoo
놀이공원|to the amusement park|at the amusement park
미용실|to the hair salon|at the hair salon
노래방|to karaoke|at karaoke
바다|to the sea|at the beach
산|to the mountains|in the mountains
호텔|to the hotel|at the hotel
교실|to the classroom|in the classroom
치과|to the dentist|at the dentist
경찰서|to the police station|at the police station
화장실|to the bathroom|in the bathroom
""")
BARE = _places("""
집|home|at home
학교|to school|at school
회사|to work|at work
교회|to church|at church
학원|to the academy|at the academy
대학교|to college|at college
""")
INSIDE = _places("""
방|to my room|in my room
부엌|to the kitchen|in the kitchen
거실|to the living room|in the living room
""")
CITIES = _places("""
서울|to Seoul|in Seoul
부산|to Busan|in Busan
대구|to Daegu|in Daegu
인천|to Incheon|in Incheon
광주|to Gwangju|in Gwangju
대전|to Daejeon|in Daejeon
제주도|to Jeju|in Jeju
경주|to Gyeongju|in Gyeongju
도쿄|to Tokyo|in Tokyo
뉴욕|to New York|in New York
런던|to London|in London
파리|to Paris|in Paris
""")
COUNTRIES = tuple(Place(noun.ko, f"to {noun.en}", f"in {noun.en}") for noun in COUNTRY)
VISITED = _places("""
할머니 집|to Grandma's house|at Grandma's house
친구 집|to my friend's house|at my friend's house
민수 집|to Minsu's house|at Minsu's house
""")
PLACE = {place.ko: place for place in PLACES + BARE + INSIDE + CITIES + COUNTRIES + VISITED}


class Person(NamedTuple):
    ko: str
    who: english.Who
    met: str  # as an object and behind with: a friend, Mom

    @property
    def stem(self) -> str:
        """As it stands before particles: 수진이."""
        return self.ko + "이" if self.ko in ("수진",) else self.ko


def _people(text: str) -> tuple[Person, ...]:
    rows = [line.split("|") for line in text.strip().splitlines()]
    return tuple(Person(ko, english.Who(en, person, own), met) for ko, en, person, own, met in rows)


FAMILY = _people("""
엄마|Mom|he|her|Mom
아빠|Dad|he|his|Dad
형|my brother|he|his|my brother
오빠|my brother|he|his|my brother
누나|my sister|he|her|my sister
언니|my sister|he|her|my sister
동생|my brother|he|his|my brother
여동생|my sister|he|her|my sister
남동생|my brother|he|his|my brother
할머니|Grandma|he|her|Grandma
할아버지|Grandpa|he|his|Grandpa
이모|my aunt|he|her|my aunt
삼촌|my uncle|he|his|my uncle
""")
NAMES = _people("""
민수|Minsu|he|his|Minsu
지수|Jisu|he|her|Jisu
영희|Younghee|he|her|Younghee
철수|Cheolsu|he|his|Cheolsu
수진|Sujin|he|her|Sujin
민지|Minji|he|her|Minji
""")
FRIEND = _people("""
친구|my friend|he|their|a friend
""")
OTHERS = _people("""
선생님|the teacher|he|their|the teacher
남자 친구|my boyfriend|he|his|my boyfriend
여자 친구|my girlfriend|he|her|my girlfriend
남편|my husband|he|his|my husband
아내|my wife|he|her|my wife
아들|my son|he|his|my son
딸|my daughter|he|her|my daughter
친구들|my friends|they|their|my friends
부모님|my parents|they|their|my parents
가족|my family|he|their|my family
사장님|the boss|he|their|the boss
아기|the baby|he|its|the baby
아이들|the children|they|their|the children
학생들|the students|they|their|the students
""")
PERSON = {person.ko: person for person in FAMILY + NAMES + FRIEND + OTHERS}


def people(names: str) -> tuple[Person, ...]:
    return tuple(PERSON[name] for name in names.split(", "))
