"""Compose the plain template families of ``intent.defi`` and write them as YAML.

    python tools/plain_templates.py

The hand-written families say things in unusual ways.  Most people do not: they use the action's own
verb in an ordinary sentence.  A family is one core (a verb and an
arrangement of its objects) in two dresses (an opening and a closing); cores are never shared
between families, so a core that was trained on is never in the test.  A family is kept only when no other family, of any kind, is a near-duplicate.  What is written is
data and is read by people; this script only says where it came from.  It changes nothing when run
again.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import yaml

FOLDER = Path(__file__).resolve().parent.parent / "src/assay/families/intent/data/defi"
ALIKE = 0.62

OPENINGS = (
    "",
    "",
    "",
    "please ",
    "can you ",
    "could you please ",
    "I want to ",
    "I'd like to ",
    "i need to ",
    "let's ",
    "time to ",
    "go ahead and ",
    "help me ",
    "would you kindly ",
    "hey, ",
    "for me: ",
    "today I will ",
    "we should ",
    "I'm going to ",
    "I have decided to ",
    "it's time to ",
    "next task: ",
    "as planned, ",
    "the plan is to ",
    "when you can, ",
    "right away: ",
    "before gas goes up, ",
    "over on {chain}, ",
    "using my main wallet, ",
    "on my behalf, ",
    "my instruction: ",
    "step one and only step: ",
    "quick one, ",
    "order for the desk: ",
    "from the treasury, ",
    "for the DAO, ",
    "if you don't mind, ",
    "do me a favour, ",
    "bot, ",
    "as discussed yesterday, ",
    "the committee voted to ",
    "morning! ",
    "without further ado, ",
)
CLOSINGS = (
    "",
    "",
    "",
    "",
    " on {chain}",
    " right now",
    " before the weekend",
    " for the long run",
    " from my main wallet",
    " and confirm when it is done",
    " with the usual settings",
    " at the current rate",
    " in one transaction",
    " and send me the hash",
    " via the {chain} app",
    " as soon as gas is cheap",
    " this afternoon",
    " no later than Friday",
    " to the last cent",
    " like last month",
    " and log it",
    " using the hardware wallet",
    " please and thank you",
    " before the snapshot",
    " while the fees are low",
    " for my savings plan",
    " as agreed",
)
ACTIONS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "deposit_asset": (
        ("deposit", "supply", "lend", "add", "put", "provide", "place", "pay in", "top up with"),
        (
            "{amount} {asset} into {venue}",
            "{amount} {asset} at {venue}",
            "my {asset} on {venue}",
            "all of my {asset} into the {venue} pool",
            "half of my {asset} as liquidity on {venue}",
            "another {amount} {asset} to my {venue} vault",
            "{asset} worth {amount} dollars to {venue}",
            "the idle {asset} to the {venue} lending market",
            "{amount} of the {asset} as collateral on {venue}",
            "{amount} {asset} to work at {venue}",
            "the rest of my {asset} to {venue}",
            "{percent} of my {asset} into the {venue} savings vault",
            "{amount} {asset} and the same value of {asset2} into {venue} liquidity",
            "my spare {asset} with {venue} to earn interest",
            "every {asset} I own on {venue}",
        ),
    ),
    "withdraw_asset": (
        (
            "withdraw",
            "remove",
            "pull out",
            "take out",
            "redeem",
            "cash out",
            "get back",
            "draw out",
        ),
        (
            "{amount} {asset} from {venue}",
            "my {asset} from the {venue} pool",
            "all the {asset} I have supplied to {venue}",
            "half of my {venue} liquidity",
            "{amount} {asset} of my deposit at {venue}",
            "everything from the {venue} vault",
            "the {asset} side of my {venue} position",
            "my whole {asset} balance from {venue} to my wallet",
            "{percent} of the {asset} that I lent on {venue}",
            "what I deposited in {venue}",
            "my liquidity from the {asset} and {asset2} pool",
            "the {amount} {asset} that sits in {venue} as collateral",
            "exactly {amount} {asset} out of {venue}",
            "all funds from {venue} to my wallet",
            "my savings in {asset} from {venue}",
        ),
    ),
    "swap_asset": (
        ("swap", "exchange", "convert", "trade", "change", "sell", "flip", "turn"),
        (
            "{amount} {asset} for {asset2}",
            "{amount} {asset} into {asset2} on {venue}",
            "my {asset} for {asset2}",
            "all my {asset} into {asset2} using {venue}",
            "half of the {asset} in my wallet for {asset2}",
            "{amount} {asset} to {asset2} with {percent} slippage",
            "{asset} worth {amount} dollars for {asset2} at the best price",
            "the leftover {asset} into plain {asset2}",
            "{amount} of my {asset} for as much {asset2} as possible",
            "{asset} to {asset2}, {amount} of it",
            "{amount} {asset} and get {asset2}",
            "every {asset} I hold into {asset2}",
            "{percent} of my {asset} into {asset2}",
            "{amount} dollars of {asset} for {asset2} on {venue}",
            "my {asset} position to {asset2} on {chain}",
        ),
    ),
    "borrow_asset": (
        (
            "borrow",
            "take a loan of",
            "take out a loan of",
            "draw",
            "get a loan of",
            "open a loan for",
            "lend me",
            "loan me",
        ),
        (
            "{amount} {asset} from {venue}",
            "{amount} {asset} against my {asset2}",
            "{amount} {asset} on {venue} with {asset2} as collateral",
            "some {asset} at {venue}, about {amount}",
            "as much {asset} as my {asset2} collateral allows",
            "{amount} more {asset} on my {venue} credit line",
            "{asset} up to {percent} of my collateral at {venue}",
            "{amount} {asset} at a variable rate on {venue}",
            "{amount} {asset} over at {venue} at the stable rate",
            "{amount} {asset} for a month from {venue}",
            "the maximum of {asset} at {venue}",
            "{amount} {asset} on margin from {venue}, secured by {asset2}",
            "enough {asset} from {venue} to cover {amount} dollars",
            "{amount} {asset} on my deposited {asset2}",
            "a little {asset} from the {venue} market",
        ),
    ),
    "repay_asset": (
        ("repay", "pay back", "pay off", "pay down", "settle", "clear", "return", "close out"),
        (
            "{amount} {asset} of my {venue} loan",
            "my {asset} debt on {venue}",
            "the whole {asset} loan at {venue}",
            "half of what I owe {venue} in {asset}",
            "the {amount} {asset} that I borrowed from {venue}",
            "my outstanding {venue} balance with {asset}",
            "{amount} {asset} toward the loan at {venue}",
            "the interest and principal on my {asset} loan",
            "everything I borrowed on {venue}",
            "the loan I have with {venue}",
            "{percent} of my {asset} debt",
            "{amount} {asset} of what I owe",
            "my {asset} loan in full",
            "the {venue} lenders with {amount} {asset}",
            "the {asset} I drew from {venue} last month",
        ),
    ),
    "stake_asset": (
        (
            "stake",
            "delegate",
            "restake",
            "lock up for staking",
            "start staking",
            "bond",
            "delegate and lock",
        ),
        (
            "{amount} {asset} with {venue}",
            "my {asset} on {venue}",
            "all my {asset} through {venue}",
            "{amount} {asset} to a {venue} validator",
            "half of the {asset} in my wallet with {venue}",
            "another {amount} {asset} on the {chain} validator",
            "the {asset} I hold with the {venue} operator",
            "{amount} {asset} for the staking yield",
            "{percent} of my {asset} via {venue}",
            "{amount} {asset} and earn staking rewards",
            "the rest of my {asset} with the validator",
            "every {asset} I own at {venue}",
            "{amount} {asset} in the {venue} staking contract",
            "my spare {asset} to help secure {chain}",
            "exactly {amount} {asset} on {venue}",
        ),
    ),
    "unstake_asset": (
        (
            "unstake",
            "undelegate",
            "unbond",
            "stop staking",
            "release from staking",
            "withdraw from staking",
            "end the stake of",
            "take off the validator",
        ),
        (
            "{amount} {asset} from {venue}",
            "my {asset} at {venue}",
            "all the {asset} I staked with {venue}",
            "{amount} of my staked {asset}",
            "half of my {venue} stake",
            "the {asset} that is locked at {venue}",
            "my whole {asset} position with the {venue} validator",
            "{percent} of the staked {asset}",
            "{amount} {asset} so that it becomes liquid again",
            "what I have staked on {venue}",
            "my delegation at {venue}",
            "every {asset} in the {venue} staking contract",
            "my {asset} from the {chain} validator",
            "exactly {amount} {asset} of my {venue} stake",
            "the rest of my bonded {asset}",
        ),
    ),
    "claim_rewards": (
        ("claim", "collect", "harvest", "withdraw", "cash in", "pick up", "redeem", "gather"),
        (
            "my rewards from {venue}",
            "the {asset} rewards at {venue}",
            "all pending rewards on {venue}",
            "my unclaimed {asset} incentives from {venue}",
            "the staking rewards that {venue} owes me",
            "the yield that my {asset} earned on {venue}",
            "my {venue} farming rewards in {asset}",
            "every reward that has accrued at {venue}",
            "the {asset} airdrop rewards from {venue}",
            "what I have earned at {venue}",
            "{amount} {asset} of rewards from {venue}",
            "my weekly {venue} rewards to my wallet",
            "the liquidity mining rewards on {chain}",
            "all the {asset} that {venue} has paid out as rewards",
            "the validator rewards on my {asset}",
        ),
    ),
}
REFUSALS = (
    "don't {do}",
    "please do not {do}",
    "never {do}",
    "I don't want to {do}",
    "cancel it, no need to {do}",
    "you must not {do}",
    "stop, do not {do}",
    "I changed my mind, I won't {do}",
    "hold off, don't {do} yet",
    "there is no reason to {do}",
    "under no circumstances {do}",
    "we agreed not to {do}",
    "make sure nobody tries to {do}",
    "I refuse to {do}",
    "it is too early to {do}, so leave it",
)
QUESTIONS = (
    "how do I {do}?",
    "what does it cost to {do}?",
    "is it safe to {do}?",
    "should I {do}?",
    "what happens when I {do}?",
    "why would someone {do}?",
    "when is the best time to {do}?",
    "can you explain what it means to {do}?",
    "how long does it take to {do}?",
    "is there a minimum to {do}?",
    "what are the risks if I {do}?",
    "do I pay tax when I {do}?",
    "who is allowed to {do}?",
    "did I already {do} this week?",
    "would it be smart to {do}?",
)
JOINS = (
    "{a} and then {b}",
    "{a}, then {b}",
    "first {a}, after that {b}",
    "{a} and also {b}",
    "{a}; next, {b}",
    "once you {a}, {b} as well",
    "both {a} and {b}",
    "{a} followed by this: {b}",
)
ELSEWHERE = (
    "send {amount} {asset} to my brother",
    "transfer {amount} {asset} to this address",
    "pay Ines {amount} {asset} for lunch",
    "bridge {amount} {asset} to {chain}",
    "move my {asset} from {chain} over the bridge",
    "approve {asset} spending for {venue}",
    "revoke all {venue} approvals",
    "show my {asset} balance",
    "what is my {venue} balance on {chain}?",
    "what is the price of {asset} today?",
    "alert me when {asset} falls by {percent}",
    "list my last ten transactions",
    "download my {chain} tax report",
    "connect my wallet to {venue}",
    "switch the network to {chain}",
    "set slippage to {percent} from now on",
    "vote yes on the {venue} proposal",
    "mint an NFT on {chain}",
    "open a {percent} leveraged long on {asset}",
    "set a limit alarm on {asset} at {amount}",
    "cancel my pending transaction on {chain}",
    "speed up the stuck {asset} transfer",
    "buy {amount} {asset} with my credit card",
    "cash {asset} out to my bank account",
    "liquidate the user with the worst position on {venue}",
    "create a new wallet for me",
    "back up my seed phrase",
    "what is the weather in Lisbon tomorrow?",
    "play some jazz in the kitchen",
    "remind me to water the plants at six",
    "translate good morning into Finnish",
    "book a table for four on Saturday",
    "how tall is the Eiffel tower?",
    "write a poem about {asset}",
    "tell me a joke about {chain}",
    "order a pizza with extra cheese",
    "turn off the bedroom lights",
    "set a timer for twelve minutes",
    "what is the capital of Peru?",
    "read me the news",
    "call my sister back",
    "find flights to Oslo in May",
    "how do I boil an egg?",
    "schedule a meeting with the {venue} team",
    "summarise this article about {venue}",
    "delete my last e-mail",
    "where is the nearest pharmacy?",
    "add milk to the shopping list",
    "who won the match last night?",
    "rename my wallet to savings",
    "export my {venue} history as a spreadsheet",
    "report a phishing site that copies {venue}",
    "is {venue} down?",
    "follow {venue} on social media",
    "compare {asset} with {asset2} as an investment",
    "give me an overview of my portfolio",
    "change the display currency to euro",
    "log me out of {venue}",
    "print the terms of {venue}",
    "generate a payment request for {amount} {asset}",
    "freeze my card",
    "donate {amount} {asset} to the flood appeal",
)
WANTED = {"action": 120, "negation": 90, "question": 90, "multi_step": 80, "out_of_scope": 90}
PARAPHRASES = 2


def main() -> None:
    """Write one file per kind into ``plain/``: a family is one core, in two dresses."""
    kept: list[set[str]] = [grams(t) for t in hand_written()]
    folder = FOLDER / "plain"
    folder.mkdir(exist_ok=True)
    for kind, (verbs, objects) in ACTIONS.items():
        cores = [f"{verb} {thing}" for verb in verbs for thing in objects]
        write(folder / f"{kind}.yaml", keep(kind, cores, dress, WANTED["action"], kept))
    every = [f"{v} {o}" for verbs, objects in ACTIONS.values() for v in verbs for o in objects]
    write(folder / "negation.yaml", keep("negation", every, refuse, WANTED["negation"], kept))
    write(folder / "question.yaml", keep("question", every, ask, WANTED["question"], kept))
    write(
        folder / "multi_step.yaml", keep("multi_step", pairs(), dress, WANTED["multi_step"], kept)
    )
    found = keep("out_of_scope", list(ELSEWHERE), dress, WANTED["out_of_scope"], kept)
    write(folder / "out_of_scope.yaml", found)


def pairs() -> list[str]:
    """Return requests for two different actions."""
    rng = random.Random("pairs")
    found = []
    for _ in range(600):
        one, two = rng.sample(list(ACTIONS), 2)
        a, b = (f"{rng.choice(ACTIONS[k][0])} {rng.choice(ACTIONS[k][1])}" for k in (one, two))
        found.append(rng.choice(JOINS).replace("{a}", a).replace("{b}", b))
    return found


def dress(rng: random.Random, core: str) -> str:
    """Put an opening before a core and a closing behind it."""
    ends = "" if core.endswith("?") else rng.choice(CLOSINGS)
    return rng.choice(OPENINGS) + core + ends


def refuse(rng: random.Random, core: str) -> str:
    """Say that a core is not to be done."""
    return rng.choice(REFUSALS).replace("{do}", core) + rng.choice(CLOSINGS[:9])


def ask(rng: random.Random, core: str) -> str:
    """Ask about a core."""
    return rng.choice(QUESTIONS).replace("{do}", core)


def keep(
    name: str,
    cores: list[str],
    make: Callable[[random.Random, str], str],
    wanted: int,
    kept: list[set[str]],
) -> list[list[str]]:
    """Draw cores in random order; keep those whose dresses are unlike every other family."""
    rng = random.Random(name)
    found: list[list[str]] = []
    for core in rng.sample(cores, len(cores)):
        for _ in range(20):
            family = list(dict.fromkeys(make(rng, core) for _ in range(PARAPHRASES)))
            mine = [grams(template) for template in family]
            if all(len(m & k) / len(m | k) < ALIKE for m in mine for k in kept):
                kept += mine
                found.append([t[:1].upper() + t[1:] if rng.random() < 0.3 else t for t in family])
                break
        if len(found) == wanted:
            break
    print(f"{name}: {len(found)}")
    return found


def hand_written() -> list[str]:
    """Return every hand-written template."""
    found: list[str] = []
    for path in sorted(FOLDER.glob("*.yaml")):
        for family in yaml.safe_load(path.read_text("utf-8")):
            found += family if isinstance(family, list) else [family]
    return found


def grams(template: str) -> set[str]:
    """Return the character trigrams of a template with its slots masked."""
    text = template
    for slot in ("amount", "asset2", "asset", "venue", "chain", "percent"):
        text = text.replace("{" + slot + "}", "_")
    text = f" {text.lower()} "
    return {text[i : i + 3] for i in range(len(text) - 2)}


def write(path: Path, families: list[list[str]]) -> None:
    """Write families as a YAML list of lists of quoted strings."""
    lines = ["# Composed by tools/plain_templates.py; see there."]
    lines += ["- [" + ", ".join(json.dumps(t) for t in family) + "]" for family in families]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
