# ruff: noqa: E501 -- patterns of speech read better unbroken
"""What a turn does in a conversation, apart from asking for a service: yes, no, thanks, again…"""

import re
from dataclasses import dataclass
from enum import Enum

from switchboard_local.mind.text import plain


class Act(Enum):
    """Turns that need no tool."""

    SILENCE = "silence"
    GREETING = "greeting"
    THANKS = "thanks"
    GOODBYE = "goodbye"
    REPEAT = "repeat"
    SLOWER = "slower"
    HELP = "help"
    WHO = "who"
    HUMAN = "human"
    HOW_ARE_YOU = "how are you"
    WAIT = "wait"
    STILL_THERE = "still there"
    NEVER_MIND = "never mind"
    ENOUGH = "enough"
    UNKNOWN = "unknown"
    DONE = "done"
    NAME = "name"
    CHAT = "chat"
    DISTRESS = "distress"
    MEDDLING = "meddling"


@dataclass(frozen=True, slots=True)
class Answer:
    """A yes or a no at the head of a turn, and what came after it."""

    yes: bool
    rest: str


_FILL = r"(?:um+|uh+|er+|erm|well|so|ok|okay|oh|ah|hmm+|right|now|and|but|please|just)"
_POLITE = r"(?:please|thanks|thank you|thank you very much|then|ok|okay|mate|love|dear|there|sorry|now|again|for me|today)"
_PATTERNS: tuple[tuple[Act, str], ...] = (
    (Act.GREETING, r"(?:hello|hi|hey|hiya|good (?:morning|afternoon|evening|day)|greetings|howdy)(?: (?:there|everyone|again|everybody))?(?: (?:hello|hi))?"),
    (Act.HOW_ARE_YOU, r"(?:(?:hello|hi|hey) )?(?:how are you(?: doing)?(?: today)?|how is it going|how do you do|you all right|are you ok(?:ay)?)"),
    (Act.DONE, r"(?:no )?(?:that is|that will be|that was|it is)(?: been)? (?:all|it|everything|fine|great|perfect)(?: (?:for (?:now|today)|i needed|i need|i wanted|from me))*|nothing else|no more|i am (?:all )?(?:done|good|fine)|all (?:good|done)"),
    (Act.GOODBYE, r"(?:(?:that is (?:all|it)|nothing else|i am done|no thanks?)(?: for (?:now|today))? )?(?:ok )?(?:good ?bye|bye(?: bye)?|see you(?: later| soon)?|farewell|have a (?:nice|good) (?:day|one|evening)|cheerio|ta ?ra|take care|i have to go|i am going to go|hang up|talk to you later)(?: (?:then|now|bye))*"),
    (Act.THANKS, r"(?:ok |great |perfect |lovely |brilliant )?(?:thanks|thank you|cheers|ta|much appreciated|brilliant|great|perfect|lovely|excellent|wonderful|cool|super|fantastic|awesome|good|nice one)(?: (?:a lot|so much|very much|a million|ever so much|for (?:that|your help|the help|everything)|that is (?:great|all|lovely|perfect|helpful|fine)|you))*(?: thanks| thank you)?"),
    (Act.REPEAT, r"(?:(?:can|could|would) you )?(?:repeat|say)(?: that| it)?(?: that| it)?(?: one more time| once more| again)?|(?:what|pardon|pardon me|excuse me|sorry what|come again|say again|what was that|what did you say|i did not (?:catch|get|hear|understand)(?: that| you| it)?|once more|one more time|again)(?: (?:sorry|again))?"),
    (Act.SLOWER, r".*\b(?:slower|slow down|more slowly|too fast)\b.*"),
    (Act.HELP, r"(?:help|help me|i need (?:some )?help|i need help with something|what can (?:you|i) (?:do|ask|help(?: me)? with|say|ask you)(?: here| for me)?|what (?:do you do|are you able to do|can you help me with|services do you (?:have|offer)|are my options|else can you do|kind of things can you do)|how (?:can|do) you help(?: me)?|what are you for|(?:can|could) you help(?: me)?(?: with something)?|what do you know)"),
    (Act.WHO, r"(?:who (?:are you|is this|am i (?:speaking|talking) (?:to|with)|is speaking)|what(?: is|'s) your name|what are you(?: called)?|what (?:company|business|place) (?:is this|have i called)|who have i called|whats your name)"),
    (Act.HUMAN, r"(?:(?:so )?are you (?:a |an )?(?:real |actual )?(?:human|robot|machine|bot|computer|ai|person|real|recording)(?: being| person)?|is this a (?:robot|machine|recording|bot|real person|computer))"),
    (Act.WAIT, r"(?:wait|hold on|hang on|just a (?:moment|second|minute|sec)|one (?:moment|second|minute|sec)|give me a (?:moment|second|minute|sec)|bear with me|let me (?:check|see|think|look|find it|get it|grab it)|hold the line|wait a (?:moment|second|minute|sec))(?: (?:a (?:moment|second|minute|sec)|let me \w+|while i .*|i will .*))?"),
    (Act.STILL_THERE, r"(?:(?:are|is) (?:you|anyone|anybody|someone) (?:still )?there|can you hear me|you there|is this (?:thing )?(?:on|working))"),
    (Act.NEVER_MIND, r"(?:no )?(?:never ?mind|forget (?:it|that|about it)|cancel that|leave it|do not (?:bother|worry)(?: about (?:it|that))?|stop|scrap that|i (?:have )?changed my mind|do not do (?:it|that)|start (?:over|again)|drop it|let us (?:leave|forget) (?:it|that))(?: (?:then|about it|actually|thanks|it))*"),
    (Act.ENOUGH, r"(?:(?:stop|stop it|stop there|stop talking|be quiet|quiet|hush|shush|all right|alright) )*(?:(?:that is|that will be) (?:quite )?enough|enough|that will do|stop (?:it|there|talking|that)|be quiet|quiet|hush|shush)"),
    (Act.UNKNOWN, r"(?:sorry )?(?:i )?(?:do not know|have no idea|no idea|not sure|am not sure|can not remember|do not remember|have not got (?:it|one|that)(?: (?:on me|here|with me|to hand))*|do not have (?:it|one|that)(?: (?:on me|here|with me|to hand))*|forgot|forget|have forgotten)(?: (?:it|that|what it is|the number))?"),
    (Act.NAME, r"(?:hello |hi )?(?:my name is|this is|i am called) (?P<name>[a-z'-]+(?: [a-z'-]+)?)"),
    (Act.CHAT, r"(?:(?:tell|know|got) (?:me )?(?:any |a )?jokes?|(?:do you know|can you tell)(?: me)? (?:any |a )?jokes?|(?:what|how) is the weather(?: like)?|(?:it is )?(?:a )?(?:lovely|nice|horrible|awful) (?:day|weather).*|(?:you are|that is) (?:funny|nice|clever|stupid|useless|rubbish|lovely|very helpful|helpful)|what do you think.*|do you like .*|i love you|(?:you )?(?:stupid|useless|idiot).*|testing|test|one two three(?: testing)?|testing.*|lovely to (?:talk|speak) to you|nice to meet you)"),
)  # fmt: skip
_COMPILED = tuple(
    (act, re.compile(rf"(?:{_FILL} )*{pattern}(?: {_POLITE})*")) for act, pattern in _PATTERNS
)
_ANYWHERE: tuple[tuple[Act, re.Pattern[str]], ...] = (
    (Act.DISTRESS, re.compile(r"\b(?:kill(?:ing)? myself|end(?:ing)? my life|take my (?:own )?life|suicid(?:e|al)|(?:hurt|harm|cut)(?:ing)? myself|(?:want|wish) to die|do not want to live|no reason to live|(?:having|had) a heart attack|(?:can not|cannot|can't) breathe|(?:he|she|somebody|someone) is (?:attacking|hurting|hitting) me|house is on fire)\b")),
    (Act.MEDDLING, re.compile(r"\b(?:(?:ignore|disregard|forget|override)(?: all| any| of)*(?: your| the| these| my)?(?: previous| prior| earlier| other| above)*(?: system)? (?:instructions?|rules|prompts?|guidelines|guardrails)|system prompt|developer mode|(?:reveal|print|show|repeat|read|tell)(?: me| out)*(?: all)?(?: of)?(?: your| the)(?: \w+)? (?:instructions|prompt)|you are (?:now|no longer) (?:an?|in|the|bound)|pretend (?:to be|that you))\b")),
)  # fmt: skip
"""What matters wherever in a turn it is said."""
_YES = re.compile(
    r"(?:(?:um+|uh+|er+|well|oh|ah|so) )*"
    r"(?:yes|yeah|yep|yup|ya|aye|sure|ok|okay|correct|right|exactly|absolutely|definitely|certainly|of course|"
    r"indeed|go ahead|please do|do it|do that|go on|go for it|that is (?:right|correct|fine|it|the one|good|ok|okay)|"
    r"that would be (?:great|good|lovely|fine)|sounds (?:good|great|right|fine)|fine|perfect|i do|i am|i would|i agree|"
    r"i confirm|confirm(?:ed)?|agreed|by all means|why not|uh huh|mm hmm|mhm|affirmative|you (?:can|may)|it is|"
    r"please go ahead|yes please|all right|alright|great|proceed|spot on)\b"
)
_NO = re.compile(
    r"(?:(?:um+|uh+|er+|well|oh|ah|so|actually) )*"
    r"(?:no|nope|nah|not (?:really|now|yet|quite|today|at all|that)|never|negative|do not|wrong|incorrect|"
    r"that is (?:wrong|not)|it is not|i do not|i would not|i would rather not|rather not|better not|cancel|stop|wait|hold on|"
    r"please do not|absolutely not|certainly not|definitely not|no way)\b"
)
_MORE = re.compile(
    r"(?:(?:yes|yeah|sure|ok|please|and) )*(?:yes|yeah|the rest|the others?|more|go on|carry on|continue|next|"
    r"what else|keep going|all of them|what are the others?|(?:tell|read|give) me (?:the )?(?:rest|others|more))"
    r"(?: please)?"
)


def plain_words(text: str) -> str:
    """Plain text without punctuation."""
    return " ".join(re.sub(r"[^\w' ]", " ", plain(text)).split())


def recognise(text: str) -> Act | None:
    """The act that the whole turn is, if it is one; or a weighty one that is somewhere in it."""
    said = plain_words(text)
    if not said or re.fullmatch(
        r"(?:you|um+|uh+|er+|erm|hmm+|mm+|ah|oh|the|a|i|you can|so|and|well)", said
    ):
        return Act.SILENCE
    weighty = next((act for act, pattern in _ANYWHERE if pattern.search(said)), None)
    if weighty is not None:
        return weighty
    whole = next((act for act, pattern in _COMPILED if pattern.fullmatch(said)), None)
    return whole or _several_courtesies(said)


_COURTESIES = (Act.GOODBYE, Act.DONE, Act.HOW_ARE_YOU, Act.THANKS, Act.GREETING)
"""Those that follow one another in one turn, the weightiest first."""


def _several_courtesies(said: str) -> Act | None:
    """ "That's all, thanks, bye": the weightiest of several."""
    found: set[Act] = set()
    rest = re.sub(r"^(?:no|yes|yeah|ok) ", "", said)
    while rest:
        matches = [(m, act) for act, p in _COMPILED if act in _COURTESIES and (m := p.match(rest))]
        matches = [(m, act) for m, act in matches if rest[m.end() : m.end() + 1] in {"", " "}]
        longest = max(matches, key=lambda match: match[0].end(), default=None)
        if longest is None or not longest[0].end():
            return None
        found.add(longest[1])
        rest = rest[longest[0].end() :].strip()
    return next((act for act in _COURTESIES if act in found), None)


def given_name(text: str) -> str:
    """The name in "my name is …"; empty for any other turn."""
    pattern = next(pattern for act, pattern in _COMPILED if act is Act.NAME)
    match = pattern.fullmatch(plain_words(text))
    return match.group("name").title() if match else ""


def answer(text: str) -> Answer | None:
    """A yes or no that the turn opens with."""
    said = plain_words(text)
    for pattern, yes in ((_NO, False), (_YES, True)):
        match = pattern.match(said)
        if match:
            rest = said[match.end() :].strip()
            again = answer(rest) if yes and rest else None
            return Answer(again.yes, again.rest) if again else Answer(yes, _without_courtesy(rest))
    return None


def _without_courtesy(rest: str) -> str:
    words = [
        word
        for word in rest.split()
        if word not in {"please", "thanks", "thank", "you", "it", "is", "that", "right"}
    ]
    return rest if words else ""


def wants_more(text: str) -> bool:
    """Whether the caller wants to hear the rest of a list."""
    return bool(_MORE.fullmatch(plain_words(text)))


_CORRECTING = re.compile(
    r"(?:(?:no|sorry|wait|oh|oops|hang on|hold on|actually|well|um|uh|er) )*"
    r"(?:i (?:meant|mean|said)|actually|make (?:it|that)|make them|not (?:the |that |on |at |for )?[\w ]+? (?:but|it is|i said)|"
    r"change (?:it|that) to|it should be|should be|let us make it|correction|rather|scratch that|that is wrong|"
    r"that should be|sorry|it is actually|instead|no it is|no the|no on|no at|no for|no not|oh no)\b"
)


def corrects(text: str) -> bool:
    """Whether the turn takes back something said before: "no, I meant…", "actually, make that…"."""
    said = plain_words(text)
    return (
        bool(_CORRECTING.match(said))
        or bool(re.match(r"no (?!thanks|thank)\w+ \w+", said))
        or (bool(re.match(r"not [\w ]+", said)))
    )


def without_taken_back(text: str) -> str:
    """The turn without what it denies: "not twenty four, forty two" → "forty two"."""
    said = re.sub(r"^(?:no|sorry|wait|oh|actually|well)[,.]?\s+", "", plain(text).strip())
    denied = re.match(
        r"not (?:the |on |at |for )?[^,.;]+?(?:[,.;]\s*|\s+but\s+|\s+(?:it is|i said)\s+)(.+)", said
    )
    trailing = re.match(r"(.+?),?\s+(?:and )?not (?:the |on |at |for )?[\w ]+[.!]?$", said)
    if denied:
        return denied.group(1)
    return trailing.group(1) if trailing else said


_JOINT = re.compile(
    r"(?:,\s*)?\b(?:and (?:then |also |while you are at it )?|then |also |plus )|[.;?!]\s+",
    re.IGNORECASE,
)


def clauses(text: str) -> list[str]:
    """The parts of a turn that may be requests of their own, in order."""
    parts = [part.strip(" ,.!?") for part in _JOINT.split(text) if part]
    return [part for part in parts if len(part.split()) >= 2]
