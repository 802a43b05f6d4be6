-- Texts built piece by piece, split, replaced and joined. Strings of all lengths, most of them short-lived.
local ROUNDS = ...

local words, text = {}, ''
for i = 1, ROUNDS do
  words[#words + 1] = ('%d-%x'):format(i, i * 2654435761 % 4294967296)
  if i % 500 == 0 then
    text = text .. table.concat(words, ' ') .. '\n'
    words = {}
  end
end
print(#text)

local seen, different = {}, 0
for word in text:gmatch('%x+') do
  if not seen[word] then seen[word], different = true, different + 1 end
end
print(different)

local replaced, count = text:gsub('%d+%-', function(number) return ('<%s>'):format(number:reverse()) end)
print(#replaced, count)

local sum = 0
for line in replaced:gmatch('[^\n]+') do sum = (sum * 31 + #line:upper():rep(3)) % 1000000007 end
print(sum)
