"""Write DeFi prompts in the style of a published data set: 46 templates, filled in at random.

That set had 1,000 training rows, all of them among its 5,000 test rows, and every one of its 46
templates on both sides.  The templates are its own in our spelling; rows, values and the row-wise
split are drawn here.  Columns: prompt, label, template, split.

    python tools/templated_prompts.py 2000 > templated.csv
"""

import csv
import random
import sys

TEMPLATES = {
    "claim_rewards": (
        "claim rewards on {p} ({c})",
        "claim staking rewards on {p} {c}",
        "harvest yield from {p} on {c}",
        "collect incentives at {p} ({c})",
    ),
    "withdraw_asset": (
        "redeem {n} {a} from {p} ({c})",
        "remove {n} {a} from {p}",
        "pull out {n} {a} from {p}",
        "cash out {n} {a} from {p} ({c})",
        "unstow {n} {a} from {p} on {c}",
        "withdraw {n} {a} from {p} on {c}",
    ),
    "stake_asset": (
        "lock {n} {a} in {k}",
        "restake {n} {a} with {k}",
        "delegate {n} {a} to {k}",
        "stake {n} {a} on {k}",
    ),
    "deposit_asset": (
        "add liquidity: deposit {n} {a} on {p}",
        "top up {p} with {n} {a}",
        "provide {n} {a} on {p} {c}",
        "put {n} {a} into {p}",
        "deposit {n} {a} into {p} on {c}",
        "supply {n} {a} to {p}",
        "move {n} {a} into {p} ({c})",
        "fund {p} with {n} {a}",
    ),
    "swap_asset": (
        "market swap {n} {a}->{b} using {d}",
        "market swap {n} {a}->{b} using {d} with slippage {s}%",
        "swap {n} {a} to {b} on {d}",
        "swap {n} {a} to {b} on {d} with slippage {s}%",
        "trade {n} {a} for {b} on {d}",
        "trade {n} {a} for {b} on {d} with slippage {s}%",
        "convert {n} {a} into {b} via {d}",
        "convert {n} {a} into {b} via {d} with slippage {s}%",
    ),
    "repay_asset": (
        "pay back {n} {a} on {l}",
        "close debt: repay {n} {a} to {l}",
        "reduce loan by {n} {a} at {l}",
        "repay {n} {a} on {l} {c}",
    ),
    "unstake_asset": (
        "withdraw staked {n} {a} from {k}",
        "undelegate {n} {a} from {k}",
        "unstake {n} {a} on {k}",
        "unlock {n} {a} at {k}",
    ),
    "borrow_asset": (
        "open debt: borrow {n} {a} on {l}",
        "open debt: borrow {n} {a} on {l} using {b} as collateral",
        "borrow {n} {a} from {l}",
        "borrow {n} {a} from {l} using {b} as collateral",
        "draw {n} {a} at {l}",
        "draw {n} {a} at {l} using {b} as collateral",
        "take a loan of {n} {a} on {l}",
        "take a loan of {n} {a} on {l} using {b} as collateral",
    ),
}
ASSETS = (
    *("BTC", "SOL", "ARB", "DAI", "WBTC", "MATIC", "WETH"),
    *("OP", "LINK", "USDT", "USDC", "AAVE", "ETH", "AVAX"),
)
EXCHANGES = ("uniswap", "sushiswap", "curve", "balancer")
LENDERS = ("aave", "compound", "maker")
STAKING = ("lido", "rocket pool", "stargate", "pendle", "yearn", "aave")
PROTOCOLS = tuple(dict.fromkeys((*LENDERS, *EXCHANGES, *STAKING)))
CHAINS = ("ethereum", "arbitrum", "optimism", "base", "polygon", "avalanche", "solana")
ENDINGS = (
    *("asap", "now", "today", "right away", "immediately", "this minute", "use fast gas"),
    *("use normal gas", "ok with higher gas", "minimize gas", "safe mode", "normal mode"),
    "high yield mode",
)


def rows(count: int, seed: int = 0) -> list[tuple[str, str, str, str]]:
    """Return so many rows, as many of each label, each label's templates in turn."""
    draw = random.Random(seed)
    made = []
    for number in range(count):
        label = list(TEMPLATES)[number % len(TEMPLATES)]
        templates = TEMPLATES[label]
        place = number // len(TEMPLATES) % len(templates)
        one, other = draw.sample(ASSETS, 2)
        size = draw.uniform(0.05, 50) if draw.random() < 0.5 else draw.uniform(100, 25_000)
        prompt = templates[place].format(
            n=f"{size:.2f}" if size < 100 else f"{size:.0f}",
            a=one,
            b=other,
            p=draw.choice(PROTOCOLS),
            c=draw.choice(CHAINS),
            k=draw.choice(STAKING),
            d=draw.choice(EXCHANGES),
            l=draw.choice(LENDERS),
            s=draw.choice(("0.1", "0.2", "0.5", "1")),
        )
        if draw.random() < 0.5:
            prompt += " - " + ", ".join(draw.sample(ENDINGS, draw.choice((1, 2))))
        split = "train" if draw.random() < 0.5 else "test"
        made.append((prompt, label, f"{label}/{place}", split))
    return made


if __name__ == "__main__":
    writer = csv.writer(sys.stdout)
    writer.writerow(("prompt", "label", "template", "split"))
    writer.writerows(rows(int(sys.argv[1]) if len(sys.argv) > 1 else 2000))
