"""English words that carry grammar rather than meaning: EDA does not replace them."""

_WORDS = """
a an the i me my mine myself we us our ours ourselves you your yours yourself yourselves
he him his himself she her hers herself it its itself they them their theirs themselves
this that these those who whom whose which what all any both each either neither every some
such no none other another own same few more most many much several
am is are was were be been being have has had having do does did doing can could may might
must shall should will would ought
about above across after against along among around at before behind below beneath beside
between beyond by down during for from in inside into near of off on onto out outside over
past since through throughout till to toward towards under until up upon with within without
and or but nor so yet if then else than because as while although though unless whether when
where why how not only very too just also again further once here there now
i'm i've i'll i'd you're you've you'll you'd he's he'll he'd she's she'll she'd it's it'll we're
we've we'll we'd they're they've they'll they'd that's there's here's what's who's let's isn't
aren't wasn't weren't haven't hasn't hadn't don't doesn't didn't can't cannot couldn't mustn't
shouldn't won't wouldn't
"""

STOP_WORDS = frozenset(_WORDS.split())
