"""A receipt whose columns line up."""

print("TEA SHOP".center(20))
print("Assam".ljust(12), "3.20".rjust(7))
print("Darjeeling".ljust(12), "11.75".rjust(7))
print("", "-----".rjust(19), sep="")
print("Total".ljust(12, "."), "14.95".rjust(7, "."), sep="")
