"""Rails: rules that compute whether an action may be carried out, and a ledger that carries it out."""

from .context import Context as Context
from .context import read_context as read_context
from .judging import RULES as RULES
from .judging import Allowed as Allowed
from .judging import Blocked as Blocked
from .judging import judge_steps as judge_steps
from .judging import to_json as to_json
from .policy import Policy as Policy
from .policy import read_policy as read_policy
from .rail import rails as rails
from .reading import read_steps as read_steps
from .reading import write_steps as write_steps
from .ruling import Block as Block
from .ruling import Idle as Idle
from .ruling import Pass as Pass
