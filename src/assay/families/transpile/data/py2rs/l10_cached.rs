pub fn change_ways(amount: i64) -> i64 {
    if amount < 0 {
        return 0;
    }
    let mut ways = vec![0_i64; amount as usize + 1];
    ways[0] = 1;
    for coin in [1, 2, 5, 10, 20, 50] {
        for paid in coin..ways.len() {
            ways[paid] += ways[paid - coin];
        }
    }
    ways[amount as usize]
}
