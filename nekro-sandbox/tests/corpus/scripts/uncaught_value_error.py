print("working")
def parse(text):
    return int(text)
parse("twelve")
