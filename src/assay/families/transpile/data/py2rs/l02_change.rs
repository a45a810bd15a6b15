pub fn output() -> String {
    let amount = 565;
    let quarters = amount / 25;
    let rest = amount % 25;
    let (dimes, rest) = (rest / 10, rest % 10);
    let (nickels, pennies) = (rest / 5, rest % 5);
    let coins = quarters + dimes + nickels + pennies;
    format!(
        "{amount} cents:\n{quarters} quarters, {dimes} dimes, {nickels} nickels, {pennies} pennies\n{coins} coins\n"
    )
}
