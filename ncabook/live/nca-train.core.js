// Built from ncabook/live/engine by build.py. Change the sources there, not this file.
const core = () => {
const TRAIN = "H4sIAAAAAAACA81bW48cx3Xu7um59szOfWZnZnd5qndJLpcURd1WN4pi68olZdkIgjwEvoixldi9I1tc0rIDShoGcBAH0YMj0UASOIgQJ3AerMQ2EiCAHURBXuMgQF78lJfYCmIggH9AJsr3naqeC7k0bCcxssB0d52uqq465zuXOlXrXb76ku95nv/R6IXcZDLxJy94+NUmk9cmsz/vhYJ9wJuclkvuzWveC3lcXwPJ814I+Ko4a1SxVfjn5aqR5we5MF8olsqVMO+/7Pt+Pud7fqEeTPzkxg0/mnjJP+FW/KJfKbz04kufOfj1wKtdO7j8qU9/7HMvfurXPnntqpeVr3784PK1j3/S8yNXfvHaZ1/2Avf2Vz9z8LnLB5/wchVbHn/m6lWv4ArXPnvwaa+4Ygu/cvnj+1q1FF7+xOWXvEr0sY998sXLL+PF1RdzfuVPD6LHvMQTfzf4wo3fuMFHbze44R6D3eCLfJRAvJSXcSpeUh5LkCZ+Kv44jU75/iTxtrPW27Zt7NmKKSnaRZoUrkV/4btvfWn+rTeybz0U3HSPud3g99xjuBt8xT3md4O33WNhN/gT91jcDf7MPZZ2g6+7x/Ju8A33GO0Gf+keq7vBX7vHym7wnexRfExsNvRxElxLd4N3+Rz91rDQmviv5Sb+6+H1LUzUFFhRhx8X+ajDj0vjuDyffGUcR5i+n8bVsamRrqM1K3zUEcR1KaemIbgl/rXUNPlGRyxlDCZupaZN0tcticy2AzMdQddj0w3OB+f54kLNkxXp6rsextdPvB3LSLPq6ty/V/P4JquXVNN4wImjEA/3ZSjDxLsQj0bvoPIkfef1eO1rpA8uyUCGqQz2ZDTCZ9aekC9+LfGerXnotr7UGwoVjhyEJEzHyavpWF8M2cOlEWgfRAd45m9vJI29mh9JZdo067I6bZuNadWjkuIX4JfDzxyRuhlgRP/5/vvvF6/EfTPMnUfznhyR9elf+bFMRzk3ABBRCpZK/lLJc6XphwNv+kuB5/MS8JKTjelTqFLzwpIOIvubVv1b/qbPT38ZL2SA+WBoR6bVEMXF3/TPfYx7iPnHw5oXgSX9ZzjTfuIfmIGV2JWnwYq69DmyvlTGbmQ7gSerH32E3Zs+Ww6eqRGcLbxHe1SKe2PTAqVHFpsR5Je7ZoysoLHpaY/kl/T3Z5xqLfZKEPVktEDqiWHLQRKw5TB53Y46kjZ6azS+cOMGwNdEKXvOSZD80Xs//N6r46umBUgNrUKYXu48rpxfU3rpXZ7HKbYg7SK+UXwpHoyTv/n9H7xZHKdX8bW/+9H33n1tfBUYbLwig6vJOz/8+vvFMYp1Lf7Od7/11c+zuIpiUnrlqoR7ZhCh8/zTBDJm1rZfAS8PMFJ9HqGKdKSg3Awx011Mc5j8/Xt/8B+fTw1xV0hNAezpUS97AHE1uPNMI6mhI/C4Q1tDvEdW1SIoSBK8on0kuSvGULH0dQ1ahs4dWvNs3lcNMaHtrCUrZJSKJaZ0QrB7CrxPo4DiaaQYbyNdoAgpskg5Q8qZOaWXvOtRhHkiLk/EmaeJtxX9pMImHqSsYbVVWBiIScJrChIIf6GvhkVDw6Lh5QwNKwCNiTHJgvKAdkktarwJCN6AkTdbpKnJjo/OLH58bOYX4uNjOY7K5XG8PY57chwMSBXSJ+SY3nfkmFMFc1INkzkFyvHU3CUdattpKdECTlJzN2RYZU1zRo5i0GxyD5pMMFxIJr7Xysa/Yu6bicPcLyqtB9BioC12QfgvK6oH2ddDHKs6EvMw5l7dM49IwTwK6Z4Fmwpydj9+LBHB78LInJNHE5+/iyN8SdAVqY/LaTmrnVMZEtlUaZ+XRGlPgGZQNsn7/pW4m+Q+DXQ9sR14cR8aYgjvCtgbPwkUlRJ1Z7D0o5TzGkjpwgj2GFZ6ZHJS1NdFMTJKcuN9dghDEgl0KNh3DYrzBk/hy3l0/4h6igqqPpWi9d2SSyVK8Qk49S6lITSg++i0ik5pwVXH83K/CandFi606S3eOjPgELWQ0gJ0iVpQZJFyhpQzi2AmdAeALvCWl5AIDolgfgQ4fMAB+acYsFDrFOAP3IZuB2sH8qHCRdFtiBeTlJ/ltxMWEjmnhYflrMBm3jW2xlc25ZxsA8dH5Z4nv/sPz51r/KaajR7Ix22dgS0AubtyYrHOFuzPOUJcduTkk55343H7AmJ5zCkVzMSWaeXosomB8+AIcTOUB+HzW9RgGli8vVdr96p+pFa+ImdkCByx9hhGQPKcs/R05t/37eRvqQUmzCtmgnN1AWZrBoT86tApdMiNh0C8T2USa09OXVUD4x7nrszGVMPZq8WOI8DmFCCFeYHHoTz+rLL/0eSF1DwKxZE0PiuFCyQuxDbWydwhohk6O6ehRi+LaAYAvkI/7ixFNKD3Lim6pLcnnUMjmnlvixFNaSGioYgHs4imp2528FNENL15RDN0OhUfFtHESxFNvBTRxP/rEQ1DCgztjhHNgNo5sBHNUCOaISOa3lJEM+TIhodFND0zZMuejWic/UYXLqjpzIKavA1qwnlQM7RBzXAe1HRuD2ryS0FNeHhQ01xw9ephOtZr9Jw/H9BD5NHQiYeBlykqzHp0CCG+38Z4gI0eAg70N2TgcSXu4bNgRI+GmBPMgEvuwKJJjOG0rKynS/LgH4RutQ72UWYKOHtszB+tp59Loki/7xTSukGU7/SZZQ8/sV2wZQeuncKkXS9nUdECqyI4Pz+N/iUqFif+9dIkvB5MguvhJDg/X/3kZnGBXRiF9L406f6zCLlCfq6YvHwlLhEzZQmhJBWQm3sw4PhwhAVYKLlxXOWqcg+lQKBp1b0r4l6hh3H2LtyHZAUvDw5MTQKzIr6pg9sNNZ2hDdMCtGqww7iJJuyMEqsCGugKjwd4LugDIYNGQGbimxZ6qCWU4rRaA9dW8Kvj16D2tqfVMu4V/CL8yGLTmVbzuBfwK+JXIq0LNVvQeioRmF5CNBiZVVgA2HhZRVjvwzri4y1epx/CgNq24eIvHkD/IBlo1fRx/J6ffhNFmAlwQHAP3N13d4/3jvwsrbo/U6uebTWgi5m3GrhWA9dq4FoN2GoKTk1/EfPjJeAlx0vIS56XAi9FXkq8lHmp8BLxUuWlxssKL/Xph6YR1X5abThJZT9lHli/StiT4w26HztP03VsghVo24c2wmXEvH21cqhYlJJaOkqKnkcQX0MzWpwIIvgWEdWaw2mV2QoINkTkNUPWqmlFpAJekPoK2wECvFlAZs1B0ub8lu0BD7NOSKxaglRvqR+gK9cimLWo0s1K9VkXvsMgrkCVcIvQEjdoNxWvITkNdKAv+2Y0198+9XcN7PiRjZ7X8djYMxvJBOoMjYOmIBo3DWhdE9NqxhycaYJF/Uz9+hgw14vVUVxMVX2hrH1pKrEpuQujuLw/xnhQcRz7AtuWR3dV9LGBDkYMvKJ9fJUFe8tLzRHYfRH6i06rWigJOkt1hQW9h6zXTV21LFQVqzoVc6qmeKkSDeAcb2GGDYeUOnFQJ2fWUaUv64qDKq0XLcTa0zqaKjNilIzKpWbvB6BFjqaiaJkqJ9l6xo3bDTVanISPsTZopTAB3kJ2qGZrVbuM+Fif9agYcXBYdTjBmOeAIfOJCyv/AoVTQM99wqDEUgmf6zP/1LQIiKJ/XCmWYN8rk+p1f1K8zpyeKak9rVKgDEtouXmroITlY8R3Y2UhPHYNRJRWcEOpLkWEQMRHSegcTBOeqZVUTRszLVHlCCAElwjXui5vhY8FSciPFRDdm1UuOZIQWumr52+zBtegtM23OdER4Doy64iJEXx5gWgQ5gUNrLF498xaJGtmA/I8gnqCZ4PnGM+beN7C/SjKxyCtjgzxzZw5zmSGam1bVtJpGQu17dmSJj4xfc+XY4hs0WZ7tvaJd0g+SvJRZhZss5OitddJXpeTopVGLI1QqWwrnbKVjpB8RE7ZSsKSwC+wBhbC+o3TfLPFN1v4tJbWWFpD11raYGkDfWjJsGTkLtt/zFKMkva/ydImDGGFecU2Y8C2HKe7Pq7IYXQb2pVNG6FCA83f86f/znAeo8J6qIEuMkoDlC1QtmYUD5QKVg8IbxuY2bxpRwQUWWjawWK2gbEuNq2x6TrI60tNEWqDe4tNN0DZWGpa5YCPgXxsacBHQTm6NOA1UNYWmg6hvIj3+ogc+2AHegmesysSKFXwfI1qWZb+mJUUpgNGHXeE5Y45LTtmm7AcKCy39d4wO3axZE7DvYDnQ7B/EXIdlfgJSJ7rJ0jqNCV1WkDJFtUgbpO4rcTGjLhD4o5yHh1r7qSzLNP+XKbbmP72Eot2QNlZYtFpUE4vsaisLKIDAU+sjWkhfIX9LCXK+TDjWUnC52+xHscz65Gjk+kuGZH+shGhr3BJGkT/sLgljXJX1bicAps8pcR3QwywFq1FCwJaje7JWZCeWpDWnUVldiikmgplJxInOPxOwod3sIChTaigtY112R1l5HTyxBLnrbmwCneSxJMzY2CJTnCZ8luiE3GHSa+ZMuoCpaIsHsBYzwS340zEHPLHU0jq1JKk2swxb4O4fYtywFKcwsjmxB5hz0UKwptbYN+aw7411iWG8tayuPnj0G9OkKVNZemJaMY6SKWjjVAEeKRm2qgHagWcboPTHSoARqGs4cQyaHcsJSueYGIBPDuhE1Wwl8g6xK9c9FU0tOligcTEwL7pcC3RwjJDUxN0Pent/WGgYHTLMRqqZe3ynE9l5ROx38qw74KGEhkHwGsGI/rnXIR10quFif9aiJ/vfrlXbTLOrp6+lO2Z6TJqHMNTg9dPzRhYnD+WlEfZBlMZi0ApjMEy5rtNNNtigli8sZRtIrWKtTne6gbUd+wGlARvmPpCr5plMY2FT+oqqqFi8hBONTWW9NVxt7DIjjvMXv3tk6wsXpK7FHdHce8tseQ3LV0Lj3+U2fPeR/D6DTCup68+EvdH38ZqH4IZfSte/XY8+Co0uy6BbWgroWF/pKvnLvABXcB334Iv6LwpvTe5lJLOt+ORjP5YBl9925SwEpbh26bIYEZ6N2X1yw9BVE0qkIUzJuDUqWx35bwsMK4xIqryVhWfYvQlzwp5KdgqoRQfzkGoUno450XfXCmXJ/7rNQRKefwgUCyEyai5ZPykPDbBLPFtcrN0OJOoLknOUHfbbmaaAqbpO8XAw4fHuGyN4yKzvBdG7+jaNy6983pc/loMFGNp4nJWGHKBaxSNrP3kS741nAGjr5zmMPJXEOHlEqzibwRXwAtYVWY1fHKCCwfmFZNcCiOcR0c51e4Aa3Oa4dU9QLrA9Cyjr0XlHaGwap+INhrgUhqvMepduwSHWsF9z45eqgcaKa8hOi5ROdakpKmzPT7xtzeS3h6TJs3MgiwlzNbhGRGrmg2gbw2xQJ9ZsiMu9yUl4IKiXkNwYZNjqoSL1MBRS0vUnKNWM2qJsi8h0Dg0/bUuG0y6bNCeMKLMSUMXBAgkaSDtXtcoRaQ2xFqFmleCESnKCBxdg1G1oy/NvhWywpoU+XaD4t1QrKHj/eTVSzWm9mWMmC0nso9Argj7NkrHCNuKDH/wtIkPiftQEQvakW4HDsyafsgscia+hSebt3BjdBgf1uDCdGyvZmNzO55QVfp+q0SZ/WMOhybdQQTy7lgrC1xomFSy/tmznh/L0WxXZpVu30EyspCsWkgihkiKl9jjM1eSyVXmoKgVamPXUkKKkMs5O0048TMKf6w3NdKI6+neFSyLvAsHBww1Kgv5IQdjOFYFGDgH3+PENNsxyJjB2wIzUHNkl/T/FxAIlyEQZhCIZhCoHgKB9s8BAk72DgkOAnb1OM+75THiDuQwZqZtGQE2/CvipiDw7Zaon1mqOh6BBdFkC6eWwrsJsRApdnziIZzjgVvRQUpI6JEDi4pQ/DE+5vaA9xQn/DxGg5W6QuWK+M4iJuuvWGQEigx/ERnBAjLqPzEy6hCBL3WHjBz6ESJDiIzcociQnxwZ/gwZOSLDh7VQZKzOkFGZISM3Q0b0c0FG63ZkhDav8IW1sAs3+SBin02y3Utu+PtxsGWfM7dp3eQ3snAoyyLPEsx5xEY8fGSK80MxhYVDMSWS9cSOKc+jncpsy9r6xUidKfeIma+Kmeg13PJx+8B11mlIGZ6yojuf7QXHRyWjw6zDWzbhcFuMT/C2qpCp6WacEjru9IPuv5k+Q+DDsv59uyVWE31YbulWc64xS3duzw0CfcajMBJw23ddhsBd67FqsqLbBGXYCWuYe3T6FemluuEVI/7p/QyD7yJwEvfc5AoC4RZvDLd8LiIKmXUocZ+7dsvpgVXGJuWx7h3OTwoMk+K1uJPGo/k5gjWS2mm8jgZFLH82MPD4CHcuZH62yoj21x7HXSb9h0npGk9RxRjZGjdtInay6Y4qfMUeVeCbsaoLhnFszGZpXGBCdS21HiQ+jjp2yYAF2yqmvJmmWHHwqZUCEilWfAqukzAHemqBu1rmLqvJp1GRG1Y8tZB35xfOkJbG93D898pRBKrs/L5ZRBjfr0E9ZcTjClV3XOEoGpkH5X5a4flhBZiByI7u4Rm4H5kdgHjUnno4i6HNTq10SHlMN8AdpUvKufl5iMc5gfPzoyw8v2CewIrJlZ9k+SkgzJWfZvkZfL62Z56FMlzAbw/GpiZ7+wvHIwrysNwF4gVqnhCuF0aasz0te2658rDpou1Fm1YGbOjslD1xBAC5c0WgDzNTXZcu0D2Qi5CjXRkD+k9rMDLUAzm6v1pbOuKiOrNAkVRVZ4FyhpSFkwo13XqrzbbgOjR9uif+DEZwTnVLjUdNztlMAxWD2rHQRcP2wP1GpxRr2SxqWtDzQyNMZc0KVG2MPKnL4Zrbzs+6mm/aZ5qvE1mgnEl1IrcdFMrmMp/DUyg9pnO4G6vdi2NrEnqpjoCg68ljhw5C59OwDJnYzpjVvqjBNQXGE1gX6c8vzvb+u3IXTU+TuGta+4DJX7RivcjzL5eUJc8hyqrhm4E8p8z4AA+a8SCOnp5Z4emZSD5Aq1KX8CXdNqCdjpmqyOvxmDywE+lhmJ7keRimp4dhGogh9FwpwoJodnqmzq3BceztuwbhvIFPR4DumapgSF5nyj+UM9Jglh+fGKdwiNzO9vQwSrR8eqYtCQ93Kixq1PuOMjXuzljJ5DGUaUGezDKDIouUM6QcIk+m/vCRJsXZrKlH6VEyZ1WiP9WA0ZeenunJ2dvk7QTtxL4gb3rhuOBOzzzHwnNykQUqsaybriry8yrUlmprBUJVpeYZktxcbRNV22dVZ//neL+zzj6BcVjutKzOnlXhqDNr/1idRZ2TC+i9aJc/x2UbartOxZVc47f1eIFoOQcKTPXycR/qN0yuU30iq5uEe4p/kXtVA/VkyUhiNKcyIWKCzPZsUNlDyFib2962k5SauLgPb1zlqaPFH1Nblpu3Hwp4avoLh4o341VX2hrMtrn1VdOx2sMeomCJFc8dpoU+KB/U8043MfAeI0aXyWHgWDNtDRa4BYYe9xFG7WTt8bm71cjYaSx31bulH8b5XeneUslGsEv1SlZwJSv51zOwPii7cBZCdyFrTlRHtIxAQB64XVTDO4nqiNwDZ3ZxjNDJHmzeAnJURAMeo/n/IKIjdxbR4CcR0YkFEd3zcxPRUbkP8dER8P6YDJ2INrQ8BOX+JRHJJRcEbOjYAnXCqYaacAqYdjjmWrHG3U+aLFO1QT0mNjuDWVvIW8z8hu48qdPoaBoLK9pwrCfXMtcBQwHnEdfUfdAYqMdoqsewx9cemS0MEHefpLdJGTF2EVvsa8ru8UVcLB/Xo5DJxUPP5y3H+fPzeedBfNTF+YjH9Wsu2a2n2uJDP2VhFbmI3dlx7iXDsToDd4En9C4gettklLnHg3p7LqLXXLf9b4p35/958R37LyO0W3adF/1huVSbFK77k5z7Fa/zPIXle8HmBfTEdAml6tiUcctdMxVwMNLUgqnqCfOaruh0R9rDJAs2UlohCJIqk516HkFXPBYMcQsr6bite28dTfU3YMA15c88vtL7euepgZbSmf8v26PZgpXzUF+u6Z0ZyRb3NDf05RHZ0Jeid65BmhhEAESGel66qs6szkN63M/blEa2f7y1sAdMsts/Prqwm1uHbmizY7qlmm0NH9MdzGxruO72SbBO2bJbJN/niZbjtlKXpa7U3e51Y75XNeCbAT69uDV9zJbcjvFxW+qx1IOP0/77LPVR0v5XWVqVBrMV/F+WEk+WxPSXsd0V1NWh4L6qm4ktfNfuQXXd5mLHbTv2lA5F1/KGnnlr4G7cluNI6bDaSh9ixJHm+M9w0VnDV2vceWxIIdu2qklBdx4t9hEhLeJFj+LU5viwoj3q5H/Cyt+KdNPK2+5iHZP2YfLVbaTGXK52I2kmd8s5t9eeSdUS3QmCTIqW6M4P/BiunnBcOWq5gG4s9zYtd21IqKa45k7UQhtBDBDshTxvl3fHbLP0iFNBVboYt3Cmia15tram2VqNZttWKZm78m3Y6Hi4Zc/v8DieJgVDe1CXmskDOVtgljU+mFcxnT/HC8+t7NlsZbOvQUUw8IZap6YauRxWh40xXzZ59G+ha21WtIecwLSGy1FtKXNy5ENO94OYoLCbdW+H+eC1vBqo4PosmameRkpvmYp9Kr6lqciqVijZc0g5m2qGw1jZY0qSrqOuGxoBEIdCYw/3jOKTUuMhRkvJib5ecQV9YwueLTS0UJ62gfICri3J49qWEq4dqeDalWjK6NlXYNbIZ/EWcuxx1fRtQO0QuuoCkcH0B35mCWKrlnXpOCZStxEHrHLr8z1ussarWmNFVtSF8MQc6jRR4199qM2/sQ6vP7BehQYNA3LBSp23uqzwtiJ9hi56yC6UqoYuuO/DqPia64i1biDaMifaxOOtodOAc+JRX41Cim/dlOKbD+m4SrIC0k19GzMVWrx58824yJcNabBJXhvdhHcs/q4Uvvzml9/iS6qemo+Q31tJ9KgcwYbh9wmfviLkvwEtUIkdRjoAAA==";
const FAST_TRAIN = "H4sIAAAAAAACA81bW48cx3Xu7um59vTOfWZnZnd5qne5u+SSEnVbiRJFsnUjl5RlIwjyEPgixlZi945scUnLDihpGcBBHEQPjkQDiWEgRhzAebAS20iAAHYQBXmNgQB58VNeEiuIAQP+AZko33eq5saLYTuJkQWnu+p0V3XVOd+51Kmid+Xay77nef5Hoxdzh4eH/uGLHn7x4eHrh9M/78WCLeBJTusl9+R178U8rq+D5HkvBnxUnDaq2Ff45+WqkecHuTBfKJbKlTDvv+L7fj7ne36hFhz66c2bfnTopf+EW/GLfqXw8ksvf+bgtwMvvn5w5VOf/tjnXvrUb33y+jVvUr/28YMr1z/+Sc+PXP2l6599xQvc09/8zMHnrhx8wstVbH30mWvXvIKrXP/swae94pKt/MaVj+/rq6XwyieuvOxVoo997JMvXXkFD669lPMr71yNnvRST/zd4As3f+cmi95ucNMVg93giyxKIF7GyygTLy2PJMhSPxN/lEUnfP8w9bYnrbdt28SzL2akaBdZWrge/aXvvvWl2bfenHzrseCWK+Z2gz9yxXA3+Kor5neDr7liYTf4M1cs7gZ/7oql3eCbrljeDb7litFu8FeuWN0N/sYVK7vB9yZF8TGx6dBHaXA92w3eZTn6vUGheei/njv03whvbGCipsAXdfhJkUUdflIaJeXZ5CujJML0/SypjkxMuo7WLLGoI0hqUs5MXXBL/euZafCJjljKGEzSzEyLpG9aEpltB2bagq5HphOcD87zwcXYkyXp6LMuxtdLveOWkWbZvfPwXuzxyeS9tJolfU4clWSwLwMZpN7FZDh8By8fZu+8kax8g/T+ZenLIJP+ngyH+MzKU/LFb6TehdhDt7WF3lCpcOQgpGE2Sl/LRvpgwB4uD0H7IDpAmb+9odT3Yj+SyrhhVmV53DJr46pHJcUvwC+HnzkiNdPHiP7z/fffL15NemaQO4/mXTkiq+O/9hMZD3NuACCiFizU/IWa52rjDwfe+NcCz+cl4CUna+Nn8ErshSUdxORvXPVv+xu/MP51PJA+5oOhHRlXQ1Tnf+O/8DHuAeafDGIvAkt6z3GmvdQ/MH0rsavPghU16XFkPamM3MiOB54sf/Rxdm96bNl/LiY4m3iO9ngp6Y5ME5QuWWyGkF/uujGyhMamqz2SX9Lbn3KqOd8rQdSV4RypK4Yt+2nAloP0DTvqSFrorV7/ws2bAF8DtUk5J0H6J+/96Aevja6ZJiA1sAphurnzuHJ+DelmJz2PU2xC2kV8o/hy0h+lf/vHP3yrOMqu4Wt//5MfvPv66BowWH9V+tfSd370zfeLI1RrWv2D73/n659ndRnVtPTqNQn3TD9C5/lnCWTMrGW/Al4eYKRaHuIVaUtBuRlipruY5iD9h/e+8uPPZ4a4K2SmAPZ0qZddgLga3HumkcToCDxu09YQ75FVtQgKkgavah9p7qoxVCx9HEPL0LlDa57Ne6ohJrSdNWWJjFKxJJROCHaPgfdxFFA89QzjrWdzFCFF5imnSDk1o3TTdz2KME/E5Yk48yzxtqSfVNgk/YxvWG0VVvpi0vC6ggTCn+urbtFQt2h4ZYKGJYDGJJhkQXlAu6QWNVkHBG/CyJsN0tRkJ0enFj/ZnPqFZGskW3i5PEq2R0lXtsCATCF9TDb1flw2nSqYHTVM5gQoW5k5KW1q231SogU8zMz9kGGVb5pTchSDZpMH0OQQw4VkkgetbPyr5qGpOMzDotJ6BC362mIXhP+yonqUfT3GsaojMacx9+qeeVwK5glI9wzYVJAz+8mTqQh+F4fmrDyR+vxdGuJLgq5IPSf3yRntnMqQyrpK+7ykSnsKNIO6Sd/3ryadNPdpoOup7cBLetAQQ3hXwN7kaaColKo7g6UfZpxXX0oXh7DHsNJDk5OiPi6KkWGaG+2zQxiSSKBDwb5rUJw1eAZfzqP7x9VTVPDqMxla3y+5TKIMn4BT71AaQgO6j06r6JQWXHU8Lw+bkNpt4UKb3uStPQUOUQspzUGXqAVF5imnSDk1D2ZCtw/oAm95CYngkAjmR4DDRxyQf44BC7VOAf7IHeh2sHYgHyhcFN2GeDFp+QK/nbKSylmtnJYzApt5cmSNr6zLWdkGjo/KA09//x+fP1v/XTUbXZC37Dt9WwFyd+XY/DsbsD9nCXE5LjtPe97Nc/YBxPKkUyqYiQ3TzNFlEwPnwRHiZiCPwuc3qcE0sHj6oL7drfqRWvmKnJIBcMS3RzACkuecpasz/zffTv62t8CE2YsTwbl3AWZrBoT8atMptMmNx0B8SGWSaE9OXVUDky7nrszGVMPpo/mOI8DmBCCFeYHHoZy7oOx/In0xM09AcSRLzkjhIolzsY11MveIaAbOzmmo0Z1ENH0AX6GftBciGtC7lxVd0t2T9l0jmllv8xFNaS6ioYj704imq262/3NENN1ZRDNwOpXcLaJJFiKaZCGiSf7XIxqGFBjaPSOaPrWzbyOagUY0A0Y03YWIZsCRDe4W0XTNgC27NqJx9htduKCmPQ1q8jaoCWdBzcAGNYNZUNO+M6jJLwQ14d2Dmsacq1cP07Zeo+v8eZ8eIo+GTjwMvExRYdalQwjx/RbGA2x0EXCgvwEDj6tJF58FI7o0xJzgBLjkDiyaJBhO08p6vCAP/kHoVutgH2WqgNNifVa0nn4miSL9vlNI6wZRv9dnFj38oe2CLdtw7RQm7Xp5EhXNsSqC8/Oz6F+iYvHQv1E6DG8Eh8GN8DA4P1v95KZxgV0YhfS+NOn+BYRcIT9XTF+5mpSImbKEUJIKyI09GHB8OMICLJTcKKlyVbmHWiDQtOreVXGP0MNo8izch2QFDw8OTCyBWRLf1MDtuprO0IZpAVrV2WHSQBN2RolVAQ10heIBygUtEDJoBGSmvmmihzilFMfVGFxbwq+GX53a2xpXy7hX8IvwI4tNe1zN417Ar4hfibQO1GxO66lEYHoJ0WBklmEBYONlGWG9D+uIjzd5HX8IA2rZhvO/pA/9g2SgVeNz+L0w/jaqMBPggOAeuLvv7h7vbflFWnV+oVZd26pPFzNr1Xet+q5V37Xqs9UYnBr/KubHS8BLjpeQlzwvBV6KvJR4KfNS4SXipcpLzMsSL7Xxh8YR1X5crTtJTX7KPLB+mbAnx+t0P3aepuPYBCvQsoUWwmXEvD21cnixKCW1dJQUPY8gvoZmNDkRRPBNIqo5g9MysxUQbIjIa4qsZdOMSAW8IPUltgMEeLOAnDQHSZvzW7YHFKadkFi1BKne9n6ArlyLYNqiSjcr1QsufIdBXIIq4RahJW7QbipeXXIa6EBf9s1wpr896u8K2PETGz2voljfM2vpIdQZGgdNQTRu6tC6BqbVSDg40wCLehP162HAXC9Wh0kxU/WFsvakocSG5C4Ok/L+COPBi6PEF9i2PLqroo81dDBk4BXt46us2FteYkdg90XoLzqtaqUk6CzTFRb0HrJeNTXVslBVrOpUzKma4qVKNIBzvIUTbDik1IiDGjmzild6sqo4qNJ60UKsPKujqTIjRsmoXGJ7PwAtcjQVRdNUOcnmc27cbqjR/CR8jLVOK4UJ8BayQzVby9plxGJt2qNixMFh2eEEY54BhswnLqz8CxROAT33CIMSayV8rsf8U8MiIIreXCqWYN8rh9Ub/mHxBnN6pqT2tEqBMiyh5eatghqWjxGfjZSF8NgxiKgt4YZaTYoIgYiPktA5mAY8UzOtmhZmWqLKEUAILhGudVzeCh8L0pAfKyC6N8tccqQhtNJXz9/iG1yD0jbf4USHgOvQrCImRvDlBaJBmBfUscbi3TMrkayYNcjzCN4TlA3KCcrrKG/gfhT1TUirLQN8M2e2mMxQrW2Ny1ilbYsueLBg3Rj/boAmLVnK9Mnx6Uon2ZFNPtyU49P1UHJCjpJ2lKkG2+Ck7CDeA21VTsoJGbI4xOOyfXwfHh8h7QgWlCfg/lEU9HhMVlhcQaNjiPBQXMMLx8SwaLAy2ZGExQTFE7LO4jqMXIU5wxbju5Zs0RVvKSoYuYZ21dJCGFBH2/f88X8wVBeMZR2U9SmlDsoGKBtTigdKBSsDhK51jHbWtC0Cisw1bWOhWsco55vGbLoK8upCU4TRYMd80zVQ1haaVjngTZA3FwZ8FJSjCwNeAWVlrukAiolYroeosAd2oJfgebvagMIEL8RUubL0RnxJIdhnRHFPyO2YE7Jjtgm5vkJuW+91s2MXQuYEXAd4PgD75+HUViEfA6y4WjpBMZ2AFFsOQ7JNyrZSLIJkh5QdZTj603RIe1GUvZkotzHr7QXO7ICys8CZE6CcWOBMWTlDnwBWWLPRREQKk1hKleHhhFUlCV+4zSBsTQxCjn6js2AXeot2gebf5V0Q0MOIljRwXVZ7cRLc8ZSS3A/uwwA0540CaDE9jjMKXTUKzXtLyOxQNrHKYicSJy/8jsMtt7EmoZpX0NqGrxNNn+r5lO1WzyGR46QcnyoyKE5YE90FxQm0zdzVVO90nVFRtvZhc6fC2oEu7yygeyuDdE4uSKfFVPE2iNu36QFswkmMaUbsEuFcayBKuQ3hzRnCmyNdKSg/LVsbPw3o5hjZ2FA2Houm7IIk2toIVQBGYtPCe6BWwN0WuNsm1jEK5Qsnplhu26qWj4FV5NYxnaJCu0SmIQDlqq2isUkHKxyu7PdNm4uBJtYJmlug78hu6wzjA3+bjr8QBizlAnvKyh7CvDmBuXP5JfIL2Nb8Q/TPuQirnNcKh/7rIX6+++Ves6k0u/b50mTHSxdBowR+Fix+Zsq34qxYUtZMtofKWMJJYQROMVttoukGEaThjaRs06BVrKzxVLePvme3jyR409TmetUcianPfVLXQHWVjodgqKGRoK9ut4klctJm7unvnubL4qW5y0lnmHTfFkt+y9K1cu6jzH13P4LHb4JxXX30kaQ3/C7W6pDK8DvJ8neT/tehxDUJbEP7Ehr2hrr27QAWUAF8921Y+/Zb0n2LCyFpfzcZyvBPpf/1r5kS1rEy+JopMhSR7i1Z/vJjEFWDemNRjAk4LSrbPTVvEtbGjGeqvFXFpxh9yfOFvBTsK6EUT+cgVCmdznnRt5fK5UP/jRhhTh4/CBTLWDJqJhk/LY9MME1bm9w0mc0UqEtxM1DdtluRpoBp+k4fUPjwCJeNUVJkjvbi8B1duSald95Iyt9IAGEsLFzGCUMucIWhcbGffsm3NjJg7JTTDET+KuKzXIo1+M3gKngBA8qchE9OMOxnVjDNZbC3eXSUU6UOsLKmxV3eA6QLTK4ydprX2SEqy7ZEtNHWlrJkhTHrymW4zArue3b0Uj3QOHcFsW2JyrEiJU187bHE395QuntMeTQmhmMh3bUK34dI06wBfSvw9j3muI64zJWUgAuKegXhg01tqRLOUwNHLS1Qc45anVBLlH0JocRdk1erssaUyRqNCePBnNQ1nEcYSLtod6qGGUKsAVYa1LwSjEhRhuDoCmypHX1p+q2QL6xIkU/XKN41xRo63k9fuxwzMS8jxGM5kX1EaEUYt2E2QlRWZICD0jo+JO5DRSxHh7qZ1zcr+iEzz5nkNp6s38aN4d34sAKHpWN7bTI2t18JVaWbt0o0sX/MwNCSO4hA3m1rYoELDYRK1hV71sljMTnZU1mmh3eQjCwkqxaSCBfS4mX2+NzV9PAaM0jUCrWxKxkhRcjlnJ0mnPgZhT9WixpUJLVs7yoWNd7FgwNGFZW57I6DMfypAgycg8txYprm+yfM4G2OGXhzaBfk/xcQCBchEE4gEE0hUL0LBFq/BAg42TskOAjYtd8sa5bHiNuQw4h5skUE2EiviJuCwLcbmv7EUtVQBBZEUyWcWgbvJsRCpNjxiYdwhgduJAcZIaEHBiwqQvFH+Jjbwd1TnPDzGA3W2QqVq+I7i5iuvmqRESgy/HlkBHPIqP3MyKhBBL7UHDJy6EeIDCEycndFhvzsyPCnyMgRGT6shSJjeYqMyhQZuSkyol8KMpp3IiO0WYEvrIQduMlHEfusk+1eetPfT4INW564TesmvzUJhyY54Gl6OI/YiEeHTHF2pKUwd6SlRLKetzHlWbRTmW44W78YqTPlDi+zTQnTtIYbNm4Xt8Z36lKGp6zovmVrzvFRyegwa/CWDTjcJuMTPK0qZGLdSlNC251d0N0z02Pke7ecfc9uaMWihcWWbtXmGrN27/ZM72sZRWEk4DbfOox/O9ZjxbKkSf4y7IQ1zF06/Yp0M92uShD/dH+BwXcQOIkrN7hwQLjFG8Mtn2uHwsQ6lLhLHd+297/M2KQ80p2/2T7/IC1eT9pZMpydAlghqZUlq2hQxKpnDQNPjnDfQWYno4xof61R0mHKfpCWrvMMVIKRrXDLJWIn6+6gwVftQQM+Gam6YBibIzbLkgLToSuZ9SDJFt6x6wUs0pYx5fUsw3KDpWYGSGRYzSm4dmAO9MwB96TMSavJ9+FFbjfxzEHenT44RVqWPMDxPyhHEaiy84emEWHysAb1lBEPG1TdYYOjaGQelYdphWdHDWAGIju601NwPz49vvCEPbNwBkObnjlpk/Kkbl87SoeUs7PTDOc4gfOzgyg8fWCewnLJ1Z9m/RkgzNWfZf05fD7eMxegDBfx24OxiWVvf+5wQ0FOYzUVy0VqnhCuF4eacb1P9txy5bTpoO0lmxQGbOjslD1JBAC5U0GgDyamuiYdoLsvlyBHuyAG9J/VYGSgx2l0dzReOKCiOjNHkUxVZ45yipS5cwaxbpzF0w20Nk2f7mg/hxGcVd1S4xHLWZtUoGJQO+a6qNseuFvolGJlMotYK3r6Z4iprFiBqo2Rp3UVHLvN+ElXsy33iebrROYopzKdyB3HfCZzmc3hGdSe1DncLyfk0siahG6mIyDouvLkXQeh86lbhhzazpiTvqTBNQXG81OX6M8vTXfuO3KSpqdB3DWsfcDkL1mxXuLplcvKkucRZcX4ZiDPKzM+wGNiPEajZ1+WePYlkg/QqtQkfFmT/rTTCTMUeT3ckgd2Ij3K0pU8j7J09ShLHTGEngpFWBBNz77UuLE3Srx91yCcNfDpCNA9MxQMyWtM2IdySurM0eMTowwOkZvRnh4liRbPvrQk5dFMhUVMvW8rU5POlJVM80KZ5uTJZDAoMk85Rcpd5MkUHz7SoDgbsXqULiVzRiX6cw0YfenZl66cuUPeTtBO7HPyphdOCu7sy/OsPC+XWKESy6rpqCK/oEJtqrZWIFRVap4Ayc3UNlW1vaA6+z/H+7119imMw3KnaXX2jApHnVnrp+os3tmZQ+8lu/zZkm2o7SoVV3L139fDAaL1HCgw1YuHdajfMLlO9YmsThruKf5FHlQN1HMhQ0nQnMqEiAky27NBZRchYzyzvS0nKTVxSQ/euMozQ/O/8Xu+4+adW/rPjH/lruKd8KojLQ1mW9y4inWs9qiGKFgSxXObaaEPygf1tNItDLzLiNFlchg4xqalwQI3sNDjPsKo45P2+Nz9amTsNBa76t7WD+P8jnRue8lGsAvvlazgSlbyb0zA+qjswlkI3YWsOFEd0ToCAXnkTlEN7iWqI/IAnNmlEUIneyx5A8hREfV5COb/g4iO3FtE/Z9FRMfmRPTAL01ER+UhxEdHwPtNGTgRrWl9AMrDCyKSyy4IWNOxBeqEMw014RQw7XDEtWLMvUuaLFO1QT0mNj1BGc/lLaZ+Q/eW1Gm0NY2FFW040nNnE9cBQwHnkcTqPmgM1GM01GPYw2ePTxcGiLt36G0yRowdxBb7mrI7N4+LxcN2FDK5eNfTdYtx/ux03XkQn3BxPuJx/ZrLdOuZtOSun7KwilzE7uw4d4LhWJ2Bu8jzdRcRva0zytzjMbs9F9Frrtv+X4h3Z/9v4nv2P3zQbtl1XvTjUik+LNzwD3PuV7zB0xCW7wWbF9DzziXUqiNTxi133VTAwUhTC6aq58NjXdHpfrKHSRZspLREEKRVJjv1NIGueCwYkiZW0klLd9famuevw4Brvp95fKX39M49/6bSmf8v24PVgpXzQB+u6J0ZySZ3Ldf04RFZ04eid65BGhhEAESGetq5qs6sptt161JXA7Ahfe4z9DG+qt2tPSr1ye7v5mQrlzS3+7s12bStQVncRvLmZHuXh0nd9m7N7ZTwQLS0SaMObwFFKHbQ48Zky3gbRbflewzFLos8m7oJ24RiD8UtWWZxWerMRPB/mZR45iOhL0zs5p6u/AT3Zd0TbGJedlup4/YI2273sKt0KLHW1/Q0Wh1343YOh0qHRVb6AKOMNH9/igvKGF+NuYFYl8JkJyqWgm4gWlwj+pnHgh6SiWeyt2LbdLLdsrK14lq3srQbU0eldS/ZTSW3RZ5sTSUH3rk98oloQHFb9RNpgOI29H8KJ7ccJzbtzNGH5di65agN8dS0xu58K7QLxADBW8jTb3l36HWS7nAqpUqU4BZONas5y77Gmn3V6LRllYy5KN+GgY5vG/Y0DQ/HaZIvtMdmqWk8HrMBBlljgnkVs1k5mSs3J2WzMZl9DHhj4HW1Ng01Wjms9uojPmzwIN5c19qsaI8cgWl1l3PaUObkyIec7u8w4WA3374S5oPX82pwghvT5KR6Dim9bSq2VHxbU4tVfaFkTwXlbOoYDmBpjylGuoKablAEQBkq9T3cJxSflJhHCi0lJ/p4yVX0ia14tlLXSnncArILuDYlj2tLSri2pYJrR6Ixo2FfwRiTz+LN5cyTqunZANmhctkFFv3xD301LYnVw5q0LQc1V7HMTUz8w+NlfbwkS/qQJ9cQfTTwxr/6UJJ/9+kZcP2h9Q80QxiKCztqvNVkibcl6TEI0cNuoVQ1CMF9H/bD16xFou8Goi1zok083uo6AbgZHrnVeKL49i0pvvWYjqskSyDd0qcJk5rFW7feSop8WJc6m+S10S34ueIfSuHLb335bT6kxqmxCPm9pVSPrBFmGH6PwOkpNv4bxxzPOc45AAA=";
const [A, B, C] = [3.4445, -4.775, 2.0315];
const ROUNDS = 5;
const TINY = 1e-7;
const MOMENTUM = 0.95;
function multiplyInto(to, a, b, n, k, m, scale) {
for (let i = 0; i < n; i++) {
for (let j = 0; j < k; j++) {
const value = scale * a[i * k + j];
for (let q = 0; q < m; q++) to[i * m + q] += value * b[j * m + q];
}
}
}
function transposed(from, rows, columns) {
return Float64Array.from({ length: from.length }, (_, i) => from[(i % rows) * columns + Math.floor(i / rows)]);
}
function orthogonal(numbers, rows, columns) {
if (rows > columns) return transposed(orthogonal(transposed(numbers, rows, columns), columns, rows), columns, rows);
let size = 0;
for (const value of numbers) size += value * value;
let x = Float64Array.from(numbers, (value) => value / Math.max(Math.sqrt(size), TINY));
for (let round = 0; round < ROUNDS; round++) {
const gram = new Float64Array(rows * rows);
multiplyInto(gram, x, transposed(x, rows, columns), rows, columns, rows, 1);
const update = gram.map((value) => B * value);
multiplyInto(update, gram, gram, rows, rows, rows, C);
const next = x.map((value) => A * value);
multiplyInto(next, update, x, rows, rows, columns, 1);
x = next;
}
return x;
}
const PAGE_BYTES = 65536;
const ALIGNMENT = 16;
const MOST_BYTES = 2 ** 29;
const SEEN = 9;
const RGBA = 4;
const ALPHA = 3;
const LAST_LAYER_STD = 1e-3;
const BETAS = [0.9, 0.999];
const EPSILON = 1e-8;
async function compileTraining(code) {
const packed = new Blob([Uint8Array.from(atob(code), (c) => c.charCodeAt(0))]).stream();
const module = new Response(packed.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
return WebAssembly.compile(await module).catch(() => null);
}
function partsOf({ channels, features, units }) {
const layers = [
["perception.conv", SEEN * channels, features, [features, channels, 3, 3]],
["update.layers.0", features, units, [units, features]],
["update.layers.1", units, channels, [channels, units]],
];
let at = 0;
return layers.flatMap(([name, rows, columns, shape]) => {
const weight = { name: `${name}.weight`, shape, rows, columns, at };
const bias = { name: `${name}.bias`, shape: [columns], rows: 1, columns, at: at + rows * columns };
at = bias.at + columns;
return [weight, bias];
});
}
function placeOf({ shape, rows }, row, column) {
if (shape.length < 4) return column * rows + row;
const inputs = shape[1];
return (column * inputs + row % inputs) * SEEN + Math.floor(row / inputs);
}
class Trainer {
static async create(sizes, fast = true) {
for (const code of fast ? [FAST_TRAIN, TRAIN] : [TRAIN]) {
const module = await compileTraining(code);
if (module !== null) return new this(sizes, (await WebAssembly.instantiate(module, {})).exports);
}
throw new Error("This browser has no WebAssembly with SIMD, which training in the page needs; a newer one has.");
}
constructor(sizes, kernels) {
const { height, width, channels, features, units, fireRate = 0.5, threshold = 0.1, mostSteps = 64 } = sizes;
Object.assign(this, { height, width, channels, features, units, fireRate, threshold, mostSteps, kernels });
if ([channels, features, units].some((n) => !(n >= 4) || n % 4 !== 0) || channels < 2 * RGBA) {
throw new Error(`${channels} channels, ${features} features, ${units} units; expected multiples of four, ` +
"8 channels or more");
}
this.cells = height * width;
this.size = this.cells * channels;
this.parts = partsOf(this);
this.count = kernels.train_weights(channels, features, units);
this.free = kernels.__heap_base.value;
const floats = (count) => this.allocate(4 * count);
const [w, s] = [Array.from({ length: 5 }, () => floats(this.count)), floats((mostSteps + 1) * this.size)];
[this.weightsAt, this.gradientAt, this.turnedAt, this.meanAt, this.squareAt] = w;
this.statesAt = s;
this.targetAt = floats(RGBA * this.cells);
this.partsAt = this.allocate(16);
kernels.train_setup(
height, width, this.threshold, this.weightsAt, this.gradientAt, this.turnedAt, this.statesAt,
floats(mostSteps * this.cells * (features + units)), floats(mostSteps * (this.cells + 1)),
this.allocate(mostSteps * this.cells), floats(2 * this.size), floats(kernels.train_scratch()),
this.allocate(3 * this.cells),
);
this.updates = 0;
this.starts = [];
}
allocate(bytes) {
const start = (this.free + ALIGNMENT - 1) & -ALIGNMENT;
this.free = start + bytes;
const { memory } = this.kernels;
if (this.free > MOST_BYTES) throw new Error("so large a training needs more than half a gigabyte; choose fewer cells or steps");
const missing = this.free - memory.buffer.byteLength;
if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES));
return start;
}
floats(start, count) {
return new Float32Array(this.kernels.memory.buffer, start, count);
}
get weights() { return this.floats(this.weightsAt, this.count); }
get gradient() { return this.floats(this.gradientAt, this.count); }
state(step) { return this.floats(this.statesAt + 4 * step * this.size, this.size); }
tensors(numbers = this.weights) {
return Object.fromEntries(this.parts.map((part) => {
const data = new Float32Array(part.rows * part.columns);
this.each(part, (here, there) => { data[there] = numbers[here]; });
return [part.name, { shape: part.shape, data }];
}));
}
load(tensors) {
const { weights } = this;
for (const part of this.parts) {
const { data } = tensors[part.name];
this.each(part, (here, there) => { weights[here] = data[there]; });
}
this.forget();
}
each(part, visit) {
for (let row = 0; row < part.rows; row++) {
for (let column = 0; column < part.columns; column++) {
visit(part.at + row * part.columns + column, placeOf(part, row, column));
}
}
}
forget() {
this.updates = 0;
for (const start of [this.meanAt, this.squareAt]) this.floats(start, this.count).fill(0);
}
begin(random) {
const { weights } = this;
const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
this.parts.forEach(({ at, rows, columns }, i) => {
const [last, bias] = [i >= 4, i % 2 === 1];
const most = 1 / Math.sqrt(bias ? this.parts[i - 1].rows : rows);
for (let q = at; q < at + rows * columns; q++) {
weights[q] = last ? (bias ? 0 : LAST_LAYER_STD * normal()) : most * (2 * random() - 1);
}
});
this.forget();
}
seedState() {
const state = new Float32Array(this.size);
const middle = Math.floor(this.height / 2) * this.width + Math.floor(this.width / 2);
return state.fill(1, middle * this.channels, middle * this.channels + RGBA);
}
lives(state) {
for (let i = ALPHA; i < state.length; i += this.channels) if (state[i] > this.threshold) return true;
return false;
}
rollout(start, steps, seed, ring = false, first = 0) {
this.state(0).set(start);
this.starts = [0];
const limit = Math.floor(this.fireRate * 2 ** 24);
for (let step = 0; step < steps; step++) {
this.starts.push(this.kernels.train_forward(
step, this.starts[step], first + step, seed, limit, Number(ring && step === 0),
));
}
return this.state(steps);
}
aim(target) {
this.floats(this.targetAt, RGBA * this.cells).set(target);
}
learn(overflow, share) {
const steps = this.starts.length - 1;
const { kernels } = this;
kernels.train_loss(steps, this.targetAt, overflow, share, this.partsAt);
const [square, outside] = new Float64Array(kernels.memory.buffer, this.partsAt, 2);
for (let step = steps - 1; step >= 0; step--) kernels.train_backward(step, this.starts[step]);
return { square, outside };
}
clear() {
this.gradient.fill(0);
this.kernels.train_turn();
}
normalise() {
const { gradient } = this;
let all = 0;
for (const { at, rows, columns } of this.parts) {
const own = gradient.subarray(at, at + rows * columns);
let sum = 0;
for (let q = 0; q < own.length; q++) sum += own[q] * own[q];
const scale = 1 / (Math.sqrt(sum) + EPSILON);
for (let q = 0; q < own.length; q++) own[q] *= scale;
all += sum;
}
return Math.sqrt(all);
}
clip(most) {
const { gradient } = this;
let sum = 0;
for (let q = 0; q < gradient.length; q++) sum += gradient[q] * gradient[q];
const length = Math.sqrt(sum);
if (length > most) for (let q = 0; q < gradient.length; q++) gradient[q] *= most / length;
return length;
}
adam(rate, parts = this.parts) {
this.updates += 1;
const [young, flat] = BETAS.map((beta) => 1 - beta ** this.updates);
for (const { at, rows, columns } of parts) {
const [weight, gradient, mean, square] =
[this.weightsAt, this.gradientAt, this.meanAt, this.squareAt].map((start) => start + 4 * at);
this.kernels.adam(
weight, gradient, mean, square, rows * columns, rate / young, Math.sqrt(flat), ...BETAS, EPSILON,
);
}
}
muon(rate, biasRate) {
const [weights, gradient, mean] = [this.weightsAt, this.gradientAt, this.meanAt].map((at) => this.floats(at, this.count));
for (const { at, rows, columns } of this.parts.filter((part) => part.rows > 1)) {
const ahead = new Float64Array(rows * columns);
for (let q = 0; q < ahead.length; q++) {
mean[at + q] += (1 - MOMENTUM) * (gradient[at + q] - mean[at + q]);
ahead[q] = gradient[at + q] + MOMENTUM * (mean[at + q] - gradient[at + q]);
}
const step = rate * Math.sqrt(Math.max(1, columns / rows));
orthogonal(ahead, rows, columns).forEach((value, q) => { weights[at + q] -= step * value; });
}
this.adam(biasRate, this.parts.filter((part) => part.rows === 1));
}
}
const MOST_KEPT = 10;
const SETTINGS = {
channels: 16, features: 32, units: 32, batch: 4, steps: [24, 32], optimizer: "muon", rate: 0.012, biasRate: 2e-3,
clip: 1, overflow: 0.1,
pool: 64, poolAfter: 300, remembers: true, damages: true, damageAfter: 450, seed: 1,
};
function dice(seed) {
let state = seed >>> 0;
return () => {
state = (state + 0x6d2b79f5) >>> 0;
let t = Math.imul(state ^ (state >>> 15), state | 1);
t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
};
}
const ranAway = (state) => state.some((value) => !(Math.abs(value) <= MOST_KEPT));
class Learner {
static async create(picture, settings = {}, fast = true) {
const all = { ...SETTINGS, ...settings };
const { height, width } = picture;
const trainer = await Trainer.create({ height, width, ...all, mostSteps: all.steps[1] }, fast);
return new this(trainer, picture, all);
}
constructor(trainer, picture, settings) {
Object.assign(this, { trainer, settings });
this.random = dice(settings.seed);
this.iteration = 0;
this.skipped = 0;
trainer.begin(this.random);
this.aim(picture.rgba);
this.pool = Array.from({ length: settings.pool }, () => null);
}
aim(target) {
this.target = target;
this.trainer.aim(target);
}
distance(state) {
const { channels } = this.trainer;
let sum = 0;
for (let i = 0, at = 0; i < this.target.length; i += RGBA, at += channels) {
for (let q = 0; q < RGBA; q++) sum += (state[at + q] - this.target[i + q]) ** 2;
}
return sum / this.target.length;
}
damaged(state) {
const { height, width, channels } = this.trainer;
const u = Array.from({ length: 5 }, this.random);
const side = Math.min(height, width);
const [row, column, radius] = [height * (0.25 + 0.5 * u[0]), width * (0.25 + 0.5 * u[1]), side * (0.1 + 0.3 * u[2])];
const [angle, offset] = [2 * Math.PI * u[0], side * 0.2 * (u[1] - 0.5)];
const hurt = state.slice();
for (let y = 0; y < height; y++) {
for (let x = 0; x < width; x++) {
const along = (x - (width - 1) / 2) * Math.cos(angle) + (y - (height - 1) / 2) * Math.sin(angle);
const erased = u[4] < 0.5 ? (y - row) ** 2 + (x - column) ** 2 <= radius ** 2 : along > offset;
const at = (y * width + x) * channels;
if (erased) hurt.fill(0, at, at + channels);
}
}
return this.trainer.lives(hurt) ? hurt : state;
}
draw() {
const { batch, pool } = this.settings;
const places = new Set();
while (places.size < batch) places.add(Math.floor(this.random() * pool));
const far = (place) => (this.pool[place] === null ? Infinity : this.distance(this.pool[place]));
return [...places].map((place) => ({ place, far: far(place) })).sort((a, b) => b.far - a.far);
}
iterate() {
const { trainer, settings, random } = this;
const { batch, steps: [least, most], overflow } = settings;
const steps = least + Math.floor(random() * (most - least + 1));
const drawn = this.draw();
this.pool[drawn[0].place] = null;
const remembers = settings.remembers && this.iteration >= settings.poolAfter;
trainer.clear();
let [square, outside] = [0, 0];
const ends = drawn.map(({ place }, i) => {
const old = this.pool[place];
const hurt = settings.damages && i === batch - 1 && i > 0 && this.iteration >= settings.damageAfter;
const start = old === null ? trainer.seedState() : hurt ? this.damaged(old) : old;
const end = trainer.rollout(start, steps, Math.floor(random() * 2 ** 32), old === null).slice();
const parts = trainer.learn(overflow, 1 / batch);
square += parts.square / batch;
outside += parts.outside / batch;
return { place, end };
});
const length = settings.clip ? trainer.clip(settings.clip) : trainer.normalise();
const sound = Number.isFinite(length) && Number.isFinite(square);
if (!sound) this.skipped += 1;
else if (settings.optimizer === "adam") trainer.adam(this.rate);
else trainer.muon(this.rate, this.rate / settings.rate * settings.biasRate);
for (const { place, end } of ends) {
this.pool[place] = sound && remembers && !ranAway(end) && trainer.lives(end) ? end : null;
}
this.iteration += 1;
return { iteration: this.iteration, loss: square, outside, length, steps };
}
get rate() {
return this.settings.rate / Math.sqrt(1 + this.iteration / 500);
}
}
const MOST_STEPS = 160;
const PAPER = 238;
const MOST_AT_ONCE = 10;
class Classroom {
static async create({ picture, settings, fast }) {
return new this(await Learner.create(picture, settings, fast));
}
constructor(learner) {
this.learner = learner;
this.replant();
}
replant() {
this.state = this.learner.trainer.seedState();
this.step = 0;
this.coins = Math.floor(this.learner.random() * 2 ** 32);
}
advance(steps) {
const { trainer } = this.learner;
for (let i = 0; i < Math.min(steps, MOST_AT_ONCE); i++, this.step++) {
this.state = trainer.rollout(this.state, 1, this.coins, this.step === 0, this.step).slice();
}
}
handle(message) {
const { learner, state } = this;
const { trainer } = learner;
const losses = [];
if (message.kind === "train") {
const start = performance.now();
do losses.push(learner.iterate()); while (performance.now() - start < message.budget);
if (this.step >= MOST_STEPS || !trainer.lives(state)) this.replant();
this.advance(message.steps);
} else if (message.kind === "watch") {
this.advance(message.steps);
} else if (message.kind === "replant") {
this.replant();
} else if (message.kind === "erase") {
this.erase(message);
} else if (message.kind === "aim") {
learner.aim(message.rgba);
} else if (message.kind === "set") {
Object.assign(learner.settings, message.settings);
} else if (message.kind === "weights") {
return { ...this.report(losses), tensors: trainer.tensors(), weights: trainer.weights.slice() };
}
return this.report(losses);
}
erase({ x, y, radius }) {
const { height, width, channels } = this.learner.trainer;
for (let row = 0; row < height; row++) {
for (let column = 0; column < width; column++) {
if ((row - y) ** 2 + (column - x) ** 2 > radius ** 2) continue;
const at = (row * width + column) * channels;
this.state.fill(0, at, at + channels);
}
}
}
report(losses) {
const { iteration, skipped, trainer } = this.learner;
return {
losses, iteration, skipped, step: this.step, pixels: this.pixels(), lives: trainer.lives(this.state),
distance: this.learner.distance(this.state),
};
}
pixels() {
const { channels, cells } = this.learner.trainer;
const pixels = new Uint8ClampedArray(RGBA * cells).fill(255);
for (let i = 0; i < cells; i++) {
const at = i * channels;
const paper = PAPER * (1 - Math.min(1, Math.max(0, this.state[at + 3])));
for (let q = 0; q < 3; q++) pixels[RGBA * i + q] = 255 * this.state[at + q] + paper;
}
return pixels;
}
}
return { Classroom, Learner, SETTINGS, Trainer, dice };
};
const STYLE = ".nca-trainer{margin: 1rem auto;max-width: 46rem;}.nca-trainer .nt{--face: #f6f7f8;--raised: #ffffff;--ink: #1b2127;--muted: #55606c;--line: #d3d9df;--edge: #79838e;--accent: #0069a6;--on-accent: #ffffff;color-scheme: light;border: 1px solid var(--line);border-radius: 14px;padding: 0.75rem;background: var(--face);color: var(--ink);font-size: 0.875rem;line-height: 1.4;}html[data-theme=\"dark\"] .nca-trainer .nt,[data-jp-theme-light=\"false\"] .nca-trainer .nt{--face: #1b2026;--raised: #272e36;--ink: #e9edf1;--muted: #a9b4bf;--line: #3b444e;--edge: #8a95a1;--accent: #62b7ea;--on-accent: #06202f;color-scheme: dark;}@media (prefers-color-scheme: dark){html:not([data-theme]) .nca-trainer .nt{--face: #1b2026;--raised: #272e36;--ink: #e9edf1;--muted: #a9b4bf;--line: #3b444e;--edge: #8a95a1;--accent: #62b7ea;--on-accent: #06202f;color-scheme: dark;}}html[data-theme] .bd-content div.cell_output .text_html:has(figure.nca-trainer){padding: 0;background: none;}.nt-panes{display: grid;grid-template-columns: 1fr 1fr 1.2fr;gap: 0.6rem;}.nt-pane{display: flex;flex-direction: column;min-width: 0;}.nt-title{color: var(--muted);}.nt-pane canvas{width: 100%;border: 1px solid var(--edge);border-radius: 8px;box-sizing: border-box;}.nt-pane canvas:not(.nt-curve){aspect-ratio: 1;image-rendering: pixelated;background: #eee;cursor: crosshair;touch-action: none;}.nt-curve{flex: 1 1 0;min-height: 6rem;border-color: var(--line);}.nt p{margin: 0;}.nt-numbers{color: var(--muted);font-variant-numeric: tabular-nums;white-space: nowrap;overflow: hidden;}.nt-row{display: flex;flex-wrap: wrap;gap: 0.4rem 0.6rem;align-items: center;margin-top: 0.5rem;}.nt :is(button,select,.nt-letter){min-height: 44px;padding: 0 0.6rem;font: inherit;color: var(--ink);background: var(--raised);border: 1px solid var(--edge);border-radius: 10px;}.nt select{max-width: 9rem;}.nt .nt-letter{width: 3.2rem;box-sizing: border-box;text-align: center;}.nt .nt-letter::placeholder{opacity: 0.6;}.nt .nt-main{min-width: 5.5rem;color: var(--on-accent);background: var(--accent);border-color: var(--accent);}.nt button:disabled{opacity: 0.5;}.nt-inks{display: inline-flex;gap: 0.4rem;}.nt-ink{position: relative;display: inline-flex;}.nt-ink input{position: absolute;opacity: 0;width: 100%;height: 100%;margin: 0;cursor: pointer;}.nt-spot{width: 44px;height: 32px;border-radius: 8px;border: 1px solid var(--edge);display: grid;place-items: center;box-sizing: border-box;}.nt-ink input:checked + .nt-spot{outline: 3px solid var(--accent);outline-offset: 1px;}.nt-ink input:focus-visible + .nt-spot{outline: 3px dashed var(--accent);outline-offset: 2px;}.nt-tick{display: inline-flex;align-items: center;gap: 0.3rem;min-height: 44px;}.nt-tick input{width: 20px;height: 20px;accent-color: var(--accent);}.nt-unseen{position: absolute;width: 1px;height: 1px;opacity: 0;pointer-events: none;}.nt .nt-status{margin-top: 0.5rem;min-height: 1.4em;}.nt summary{min-height: 32px;display: flex;align-items: center;cursor: pointer;color: var(--muted);}.nt summary::before{content: \"\u25b8\";margin-inline-end: 0.4rem;}.nt details[open] summary::before{content: \"\u25be\";}.nt :focus-visible{outline: 3px solid var(--accent);outline-offset: 1px;}@media (max-width: 36rem){.nca-trainer .nt{padding: 0.5rem;}.nt-panes{grid-template-columns: 1fr 1fr;gap: 0.4rem;}.nt-pane:last-child{grid-column: 1 / -1;}.nt-pane:last-child .nt-title,.nt > .nt-row .nt-word{position: absolute;width: 1px;height: 1px;overflow: hidden;clip-path: inset(50%);}.nt-curve{min-height: 0;height: 3.5rem;flex: none;}.nt-inks{gap: 0.25rem;}.nt-spot{width: 25px;height: 44px;}.nt-row{margin-top: 0.4rem;gap: 0.4rem;}.nt-status{font-size: 0.8125rem;}}@media print{.nt-row,.nt details{display: none;}}";
const { Classroom, Learner, SETTINGS, Trainer, dice } = core();
const DESK = `"use strict";
let room;
const { Classroom } = (${core})();
onmessage = async ({ data: { id, message } }) => {
try {
if (message.kind === "create") room = await Classroom.create(message);
postMessage({ id, report: room.handle(message) });
} catch (error) {
postMessage({ id, error: error.message });
}
};`;
function inWorker() {
const url = URL.createObjectURL(new Blob([DESK], { type: "text/javascript" }));
let worker;
try {
worker = new Worker(url);
} catch {
return null;
} finally {
URL.revokeObjectURL(url);
}
const waiting = new Map();
let sent = 0;
worker.onmessage = ({ data: { id, report, error } }) => {
const { resolve, reject } = waiting.get(id);
waiting.delete(id);
if (error === undefined) resolve(report);
else reject(new Error(error));
};
worker.onerror = (event) => {
event.preventDefault();
for (const { reject } of waiting.values()) reject(new BlockedDeskError());
waiting.clear();
};
const send = (message) => new Promise((resolve, reject) => {
sent += 1;
waiting.set(sent, { resolve, reject });
worker.postMessage({ id: sent, message });
});
return { send, end: () => worker.terminate() };
}
class BlockedDeskError extends Error {
constructor() {
super("The figure's worker has ended; load the page again.");
}
}
function inPage() {
let room;
const send = async (message) => {
await new Promise((go) => setTimeout(go));
if (message.kind === "create") room = await Classroom.create(message);
return room.handle(message);
};
return { send, end: () => { room = undefined; } };
}
async function sit(message) {
const desk = inWorker() ?? inPage();
try {
return { ...desk, first: await desk.send(message) };
} catch (error) {
desk.end();
if (!(error instanceof BlockedDeskError)) throw error;
const here = inPage();
return { ...here, first: await here.send(message) };
}
}
const MOST_POINTS = 2000;
const SMOOTH = 0.1;
const MARGIN = { left: 44, right: 8, top: 8, bottom: 18 };
class Losses {
constructor(canvas) {
Object.assign(this, { canvas, points: [] });
this.clear();
}
clear() {
this.points = [];
this.mean = null;
this.every = 1;
}
add({ iteration, loss }) {
if (!Number.isFinite(loss)) return;
this.mean = this.mean === null ? loss : this.mean + SMOOTH * (loss - this.mean);
if (iteration % this.every !== 0) return;
this.points.push({ iteration, loss, mean: this.mean });
if (this.points.length <= MOST_POINTS) return;
this.every *= 2;
this.points = this.points.filter((point) => point.iteration % this.every === 0);
}
draw() {
const { canvas, points } = this;
const box = canvas.getBoundingClientRect();
if (box.width === 0) return;
const ratio = devicePixelRatio || 1;
Object.assign(canvas, { width: Math.round(box.width * ratio), height: Math.round(box.height * ratio) });
const context = canvas.getContext("2d");
context.setTransform(ratio, 0, 0, ratio, 0, 0);
const style = getComputedStyle(canvas);
const [ink, line, curve] = ["--muted", "--line", "--accent"].map((name) => style.getPropertyValue(name));
const losses = points.map(({ loss }) => loss);
const low = Math.min(-3, Math.floor(Math.log10(Math.min(...losses, 1))));
const high = Math.max(0, ...losses.map((loss) => Math.ceil(Math.log10(loss))));
const last = Math.max(100, points.at(-1)?.iteration ?? 0);
const [right, bottom] = [box.width - MARGIN.right, box.height - MARGIN.bottom];
const x = (iteration) => MARGIN.left + iteration / last * (right - MARGIN.left);
const y = (loss) => MARGIN.top + (high - Math.log10(loss)) / (high - low) * (bottom - MARGIN.top);
const stroke = (color, width, alpha, path) => {
Object.assign(context, { strokeStyle: color, lineWidth: width, globalAlpha: alpha });
context.beginPath();
path();
context.stroke();
context.globalAlpha = 1;
};
Object.assign(context, { font: "11px sans-serif", fillStyle: ink, textBaseline: "middle", textAlign: "right" });
for (let power = low; power <= high; power++) {
stroke(line, 1, 1, () => { context.moveTo(MARGIN.left, y(10 ** power)); context.lineTo(right, y(10 ** power)); });
context.fillText(String(Number((10 ** power).toPrecision(1))), MARGIN.left - 6, y(10 ** power));
}
context.textBaseline = "alphabetic";
context.fillText(String(last), right, box.height - 4);
context.textAlign = "left";
context.fillText("iteration 0", MARGIN.left, box.height - 4);
const each = (value) => () => points.forEach((point) => context.lineTo(x(point.iteration), y(value(point))));
stroke(curve, 1, 0.35, each(({ loss }) => loss));
stroke(curve, 2, 1, each(({ mean }) => mean));
}
describe() {
if (this.points.length === 0) return "The loss over iterations; nothing has been learned yet";
const { iteration } = this.points.at(-1);
return `The loss over iterations: ${this.points[0].mean.toPrecision(2)} at the start, ` +
`${this.mean.toPrecision(2)} after ${iteration} iterations`;
}
}
const WHITE = 242;
const INK_RADIUS = 1.2;
class Pad {
constructor(canvas, side, margin, changed) {
Object.assign(this, { canvas, side, margin, changed, ink: "#1f3b8f", cursor: null, drawing: false });
const grid = side + 2 * margin;
Object.assign(canvas, { width: grid, height: grid });
this.sheet = Object.assign(document.createElement("canvas"), { width: side, height: side });
this.context = this.sheet.getContext("2d", { willReadFrequently: true });
this.connect();
}
connect() {
const { canvas } = this;
const place = (event) => {
const box = canvas.getBoundingClientRect();
const scale = canvas.width / box.width;
return [(event.clientX - box.left) * scale - this.margin, (event.clientY - box.top) * scale - this.margin];
};
canvas.addEventListener("pointerdown", (event) => {
if (event.button !== 0) return;
canvas.setPointerCapture(event.pointerId);
this.drawing = true;
this.last = place(event);
this.line(this.last, this.last);
});
canvas.addEventListener("pointermove", (event) => {
if (!this.drawing) return;
const here = place(event);
this.line(this.last, here);
this.last = here;
});
for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { this.drawing = false; });
canvas.addEventListener("keydown", (event) => this.key(event));
canvas.addEventListener("blur", () => { this.cursor = null; this.draw(); });
for (const kind of ["dragover", "drop"]) {
canvas.addEventListener(kind, (event) => {
event.preventDefault();
const [file] = kind === "drop" ? event.dataTransfer.files : [];
if (file) this.open(file);
});
}
}
key(event) {
const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const middle = Math.floor(this.side / 2);
this.cursor ??= [middle, middle];
if (moves[event.key]) {
this.cursor = this.cursor.map((v, i) => Math.min(this.side - 1, Math.max(0, v + moves[event.key][i])));
} else if (event.key === " ") {
const here = this.cursor.map((v) => v + 0.5);
this.line(here, here);
} else return;
event.preventDefault();
this.draw();
}
line([x0, y0], [x1, y1]) {
const { context } = this;
const steps = Math.max(1, Math.ceil(2 * Math.hypot(x1 - x0, y1 - y0)));
context.fillStyle = this.ink === "" ? "#000" : this.ink;
for (let i = 0; i <= steps; i++) {
const [x, y] = [x0 + (x1 - x0) * i / steps, y0 + (y1 - y0) * i / steps];
for (let row = 0; row < this.side; row++) {
for (let column = 0; column < this.side; column++) {
if (Math.hypot(column + 0.5 - x, row + 0.5 - y) > INK_RADIUS) continue;
if (this.ink === "") context.clearRect(column, row, 1, 1);
else context.fillRect(column, row, 1, 1);
}
}
}
this.draw();
this.changed();
}
clear() {
this.context.clearRect(0, 0, this.side, this.side);
this.draw();
this.changed();
}
put(bytes) {
this.context.putImageData(new ImageData(new Uint8ClampedArray(bytes), this.side, this.side), 0, 0);
this.draw();
this.changed();
}
write(text) {
const large = Object.assign(document.createElement("canvas"), { width: 8 * this.side, height: 8 * this.side });
const context = large.getContext("2d");
Object.assign(context, { font: `${6.4 * this.side}px sans-serif`, textAlign: "center", textBaseline: "middle" });
context.fillText(text, large.width / 2, large.height * 0.53, large.width);
this.fit(large, large.width, large.height);
}
async open(file) {
const picture = await createImageBitmap(file);
this.fit(picture, picture.width, picture.height);
this.takePaperAway();
this.draw();
this.changed();
}
fit(source, width, height) {
const { context, side } = this;
const scale = side / Math.max(width, height);
const [w, h] = [Math.max(1, width * scale), Math.max(1, height * scale)];
context.clearRect(0, 0, side, side);
Object.assign(context, { imageSmoothingEnabled: true, imageSmoothingQuality: "high" });
context.drawImage(source, (side - w) / 2, (side - h) / 2, w, h);
this.draw();
this.changed();
}
takePaperAway() {
const { context, side } = this;
const image = context.getImageData(0, 0, side, side);
const { data } = image;
const inked = (i) => data[4 * i + 3] > 0;
const cells = Array.from({ length: side * side }, (_, i) => i);
if (cells.filter(inked).some((i) => data[4 * i + 3] < 250)) return;
const white = (i) => inked(i) && Math.min(...data.subarray(4 * i, 4 * i + 3)) >= WHITE;
const edge = (i) => [0, side - 1].includes(i % side) || i < side || i >= side * (side - 1) ||
[i - 1, i + 1, i - side, i + side].some((n) => !inked(n));
const reached = cells.filter((i) => white(i) && edge(i));
for (let n = 0; n < reached.length; n++) {
const i = reached[n];
if (!inked(i)) continue;
data[4 * i + 3] = 0;
for (const [next, near] of [[i - 1, i % side > 0], [i + 1, i % side < side - 1], [i - side, i >= side],
[i + side, i < side * (side - 1)]]) if (near && white(next)) reached.push(next);
}
context.putImageData(image, 0, 0);
}
target() {
const { side, margin, canvas: { width } } = this;
const { data } = this.context.getImageData(0, 0, side, side);
const target = new Float32Array(4 * width * width);
for (let i = 0; i < side * side; i++) {
const at = 4 * ((Math.floor(i / side) + margin) * width + i % side + margin);
const alpha = data[4 * i + 3] / 255;
for (let q = 0; q < 3; q++) target[at + q] = data[4 * i + q] / 255 * alpha;
target[at + 3] = alpha;
}
return target;
}
get empty() {
return !this.context.getImageData(0, 0, this.side, this.side).data.some((v, i) => i % 4 === 3 && v > 25);
}
draw() {
const context = this.canvas.getContext("2d");
const { width, height } = this.canvas;
context.fillStyle = "#eee";
context.fillRect(0, 0, width, height);
context.drawImage(this.sheet, this.margin, this.margin);
if (this.cursor === null) return;
context.fillStyle = "rgba(213, 94, 0, 0.8)";
context.fillRect(this.cursor[0] + this.margin, this.cursor[1] + this.margin, 1, 1);
}
}
function safetensors(tensors, meta) {
const header = { __metadata__: { meta: JSON.stringify(meta) } };
let end = 0;
for (const [name, { shape, data }] of Object.entries(tensors)) {
header[name] = { dtype: "F32", shape, data_offsets: [end, end + data.byteLength] };
end += data.byteLength;
}
const text = new TextEncoder().encode(JSON.stringify(header));
const padded = Math.ceil(text.length / 8) * 8;
const file = new Uint8Array(8 + padded + end).fill(32, 8, 8 + padded);
new DataView(file.buffer).setBigUint64(0, BigInt(padded), true);
file.set(text, 8);
for (const [name, { data }] of Object.entries(tensors)) {
file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 8 + padded + header[name].data_offsets[0]);
}
return file;
}
const metaOf = ({ channels, features, units, height, width }, iterations) => ({
format: "ncabook-trained-in-the-page", version: 1, layout: { visible: 4, hidden: channels - 4 }, features,
hidden: [units], fire_rate: 0.5, living_threshold: 0.1, height, width, iterations,
});
function nearest(value) {
const low = Math.floor(value);
return value - low === 0.5 ? low + low % 2 : Math.round(value);
}
function half(value) {
const size = Math.min(Math.abs(value), 65504);
const sign = value < 0 ? 0x8000 : 0;
if (size < 2 ** -14) return sign | nearest(size * 2 ** 24);
const exponent = Math.floor(Math.log2(size));
return sign | (((exponent + 15) << 10) + nearest((size / 2 ** exponent - 1) * 1024));
}
function liveWeights(description, parts, weights) {
const view = new DataView(new ArrayBuffer(description.weights_bytes));
description.ops.forEach((op, layer) => {
const [kernel, bias] = parts.slice(2 * layer, 2 * layer + 2);
const numbers = (part) => weights.subarray(part.at, part.at + part.rows * part.columns);
numbers(kernel).forEach((value, i) => view.setUint16(op.weight + 2 * i, half(value), true));
numbers(bias).forEach((value, i) => view.setFloat32(op.bias + 4 * i, value, true));
});
return new Uint8Array(view.buffer);
}
function base64(bytes) {
let text = "";
for (let i = 0; i < bytes.length; i += 4096) text += String.fromCharCode(...bytes.subarray(i, i + 4096));
return btoa(text);
}
function hand(content, name, type) {
const link = document.createElement("a");
link.href = URL.createObjectURL(new Blob([content], { type }));
link.download = name;
link.click();
setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
const BUDGET = 60;
const STEPS_A_SECOND = 24;
const ERASER = 3.2;
const INKS = [["#1b2127", "Black"], ["#c8281e", "Red"], ["#e69f00", "Yellow"], ["#0b8a5f", "Green"], ["#0069a6", "Blue"],
["", "Eraser"]];
const RATES = { muon: 0.012, adam: 0.002 };
let figures = 0;
function tag(name, attributes = {}, ...children) {
const element = document.createElement(name);
for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
element.append(...children);
return element;
}
const button = (label, kind = "") => tag("button", { type: "button", class: kind }, label);
function choice(label, options, chosen) {
const select = tag("select", {}, ...options.map(([value, text]) => tag("option", { value }, text)));
select.value = chosen;
return { select, label: tag("label", {}, tag("span", { class: "nt-word" }, `${label} `), select) };
}
function tick(label, checked) {
const input = tag("input", { type: "checkbox" });
input.checked = checked;
return { input, label: tag("label", { class: "nt-tick" }, input, ` ${label}`) };
}
class TrainerFigure {
constructor(element, given) {
Object.assign(this, { element, given, training: false, busy: false, send: null, queue: [], last: 0 });
this.id = `nca-trainer-${figures++}`;
this.build();
this.choose("0");
this.tell("Ready. Choose or draw a picture, then press Train.");
this.ready = this.startOver();
document.addEventListener("visibilitychange", () => this.wake());
new ResizeObserver(() => this.losses.draw()).observe(this.curve);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.losses.draw());
}
build() {
const { given } = this;
const grid = given.side + 2 * given.margin;
const canvas = (label, more = {}) => tag("canvas", { tabindex: 0, role: "application", "aria-label": label, ...more });
const padCanvas = canvas("Your picture. Draw with the pointer, or move with the arrow keys and press space; drop a file here.");
this.stage = canvas("The automaton now. Press to erase a part; with the keyboard, space erases the middle.");
Object.assign(this.stage, { width: grid, height: grid });
this.pad = new Pad(padCanvas, given.side, given.margin, () => this.pictureChanged());
this.play = button("Train", "nt-main");
this.again = button("New seed");
this.picture = choice("Picture", [...given.pictures.map(({ name }, i) => [i, name]), ["empty", "empty sheet"], ["own", "your own"]], 0);
this.file = tag("input", { type: "file", accept: "image/*", class: "nt-unseen", tabindex: -1, "aria-label": "A picture file" });
this.open = button("Open a file");
this.letter = tag("input", { type: "text", maxlength: 8, size: 3, class: "nt-letter", placeholder: "🐸", "aria-label": "An emoji or a letter to grow" });
this.inks = INKS.map(([color, name], i) => {
const input = tag("input", { type: "radio", name: `${this.id}-ink`, value: color, "aria-label": name });
input.checked = i === 0;
const spot = tag("span", { class: "nt-spot", title: name });
if (color) spot.style.background = color;
else spot.append("⌫");
return { input, label: tag("label", { class: "nt-ink" }, input, spot) };
});
this.curve = tag("canvas", { role: "img", class: "nt-curve" });
this.losses = new Losses(this.curve);
this.numbers = tag("p", { class: "nt-numbers" });
this.status = tag("p", { role: "status", class: "nt-status" });
this.size = choice("Network", given.sizes.map(({ name }, i) => [i, name]), given.chosen);
this.steps = choice("Steps", [["12 16", "12–16"], ["24 32", "24–32"], ["32 48", "32–48"]], "24 32");
this.optimizer = choice("Optimiser", [["muon", "Muon"], ["adam", "Adam"]], "muon");
this.rate = choice("Learning rate", [["0.1", "a tenth"], ["0.33", "a third"], ["1", "usual"], ["3", "three times"]], "1");
this.remembers = tick("states come back (pool)", true);
this.damages = tick("some are damaged", true);
this.anew = button("Start over");
this.weights = button("Save weights");
this.live = button("Open in the player");
this.page = button("Save as a page");
const pane = (title, ...what) => tag("div", { class: "nt-pane" }, tag("span", { class: "nt-title" }, title), ...what);
this.root = tag("div", { class: "nt" },
tag("div", { class: "nt-panes" },
pane("Your picture", padCanvas),
pane("The automaton now", this.stage),
pane("Loss", this.curve, this.numbers)),
tag("div", { class: "nt-row" }, this.play, this.again, this.picture.label),
tag("div", { class: "nt-row" },
tag("div", { class: "nt-inks", role: "group", "aria-label": "Ink" }, ...this.inks.map(({ label }) => label)),
this.open, this.letter, this.file),
this.status,
tag("details", {}, tag("summary", {}, "How it learns, and what to take away"),
tag("div", { class: "nt-row" }, this.rate.label, this.optimizer.label, this.remembers.label, this.damages.label),
tag("div", { class: "nt-row" }, this.size.label, this.steps.label, this.anew),
tag("div", { class: "nt-row" }, this.weights, this.live, this.page)));
this.element.prepend(this.root);
this.stage.getContext("2d").fillStyle = "#fff";
this.connect();
this.losses.draw();
this.curve.setAttribute("aria-label", this.losses.describe());
}
connect() {
const on = (element, action, event = "click") => element.addEventListener(event, action);
on(this.play, () => this.setTraining(!this.training));
on(this.again, () => this.ask({ kind: "replant" }));
on(this.picture.select, () => this.choose(this.picture.select.value), "change");
on(this.open, () => this.file.click());
on(this.file, () => this.take(this.file.files[0]), "change");
on(this.letter, () => this.letter.value.trim() && this.pad.write(this.letter.value.trim()), "change");
for (const { input } of this.inks) on(input, () => { this.pad.ink = input.value; }, "change");
this.pad.ink = INKS[0][0];
on(this.rate.select, () => this.set(), "change");
for (const { input } of [this.remembers, this.damages]) on(input, () => this.set(), "change");
for (const { select } of [this.size, this.steps, this.optimizer]) on(select, () => this.startOver(), "change");
on(this.anew, () => this.startOver());
on(this.weights, () => this.saveWeights());
on(this.live, () => this.openLive());
on(this.page, () => this.savePage());
const erase = (event) => {
const box = this.stage.getBoundingClientRect();
const scale = this.stage.width / box.width;
this.erase((event.clientX - box.left) * scale - 0.5, (event.clientY - box.top) * scale - 0.5);
};
on(this.stage, (event) => { this.stage.setPointerCapture(event.pointerId); this.erasing = true; erase(event); }, "pointerdown");
on(this.stage, (event) => { if (this.erasing) erase(event); }, "pointermove");
for (const end of ["pointerup", "pointercancel"]) on(this.stage, () => { this.erasing = false; }, end);
on(this.stage, (event) => {
if (event.key !== " ") return;
event.preventDefault();
this.erase(this.stage.width / 2, this.stage.height / 2);
}, "keydown");
}
erase(x, y) {
this.ask({ kind: "erase", x, y, radius: ERASER });
}
choose(value) {
if (value === "empty") this.pad.clear();
else if (value !== "own") this.pad.put(atobBytes(this.given.pictures[value].rgba));
this.picture.select.value = value;
}
async take(file) {
if (!file) return;
try {
await this.pad.open(file);
} catch {
this.tell("This file is no picture that the browser can read; try a PNG or a JPEG.");
}
}
pictureChanged() {
if (this.picture) this.picture.select.value = "own";
this.ask({ kind: "aim", rgba: this.pad.target() });
}
get settings() {
const { channels, features, units } = this.given.sizes[this.size.select.value];
return {
channels, features, units, steps: this.steps.select.value.split(" ").map(Number),
optimizer: this.optimizer.select.value, ...this.free,
};
}
get free() {
return { rate: Number(this.rate.select.value) * RATES[this.optimizer.select.value], remembers: this.remembers.input.checked, damages: this.damages.input.checked };
}
set() {
this.ask({ kind: "set", settings: this.free });
}
async startOver() {
const { given } = this;
this.setTraining(false, "");
this.end?.();
this.send = null;
this.losses.clear();
const grid = given.side + 2 * given.margin;
const picture = { height: grid, width: grid, rgba: this.pad.target() };
const mine = this.start = {};
try {
const desk = await sit({ kind: "create", picture, settings: { ...this.settings, seed: given.seed } });
if (this.start !== mine) return desk.end();
Object.assign(this, { send: desk.send, end: desk.end });
this.show(desk.first);
} catch (error) {
this.tell(error.message);
this.play.disabled = true;
}
}
setTraining(training, words = training ? "It is learning. It goes on while you read, and rests while the page is hidden." : "It rests.") {
this.training = training;
this.play.textContent = training ? "Pause" : "Train";
if (words) this.tell(words);
this.curve.setAttribute("aria-label", this.losses.describe());
this.wake();
}
tell(text) {
this.status.textContent = text;
}
ask(message) {
if (this.send === null) return;
this.queue = this.queue.filter(({ kind }) => kind !== message.kind || kind === "erase");
this.queue.push(message);
this.wake();
}
async wake() {
if (this.busy || document.hidden || this.send === null) return;
const { send } = this;
this.busy = true;
try {
while (this.send === send && !document.hidden) {
const now = performance.now();
const due = Math.min(8, Math.max(1, Math.round((now - this.last) / 1000 * STEPS_A_SECOND)));
const message = this.queue.shift() ?? (this.training ? { kind: "train", budget: BUDGET, steps: due }
: this.running ? { kind: "watch", steps: due } : null);
if (message === null) break;
if (["train", "watch"].includes(message.kind)) this.last = now;
const report = await send(message);
if (this.send === send) this.show(report);
if (message.kind === "watch") await new Promise((go) => setTimeout(go, 1000 / STEPS_A_SECOND));
}
} catch (error) {
this.training = false;
this.play.textContent = "Train";
this.tell(error.message);
} finally {
this.busy = false;
}
if (this.send !== null && (this.send !== send || this.queue.length > 0)) this.wake();
}
get running() {
return this.report.iteration > 0 && this.report.lives && !matchMedia("(prefers-reduced-motion: reduce)").matches;
}
show(report) {
this.report = report;
const { width, height } = this.stage;
this.stage.getContext("2d").putImageData(new ImageData(report.pixels, width, height), 0, 0);
for (const one of report.losses) {
this.losses.add(one);
this.clocked(one.iteration);
}
if (report.losses.length > 0 || report.iteration === 0) this.losses.draw();
const loss = this.losses.mean === null ? "" : `: ${this.losses.mean.toPrecision(2)}`;
this.numbers.textContent = `${report.iteration} iterations${loss}` +
(this.training && this.speed ? `; ${this.speed.toFixed(1)}/s` : "");
}
clocked(iteration) {
const now = performance.now();
this.marks = (this.marks ?? []).filter(([time, at]) => now - time < 2000 && at < iteration);
this.marks.push([now, iteration]);
const [[time, at]] = this.marks;
this.speed = now - time > 200 ? 1000 * (iteration - at) / (now - time) : 0;
}
async result() {
while (this.busy && this.training) { this.training = false; await new Promise((go) => setTimeout(go, 20)); }
return this.send({ kind: "weights" });
}
meta({ iteration }) {
const grid = this.given.side + 2 * this.given.margin;
return metaOf({ ...this.given.sizes[this.size.select.value], height: grid, width: grid }, iteration);
}
async saveWeights() {
const was = this.training;
const given = await this.result();
hand(safetensors(given.tensors, this.meta(given)), "weights.safetensors", "application/octet-stream");
this.setTraining(was, "Saved: weights.safetensors, with the layout in its header.");
}
async figure() {
const { weights } = await this.result();
const { description, parts } = this.given.sizes[this.size.select.value];
const figure = tag("figure", { class: "nca-figure", "data-nca": JSON.stringify([description]),
"data-weights": base64(liveWeights(description, parts, weights)) });
figure.append(tag("figcaption", {}, description.title));
return figure;
}
async openLive() {
const figure = await this.figure();
this.setTraining(false, "Below, in the book's player, is what it had learned.");
this.shown?.remove();
this.shown = figure;
this.element.after(figure);
figure.scrollIntoView({ block: "nearest" });
}
async savePage() {
const source = [...document.scripts].find(({ src }) => src.includes(this.given.script));
try {
const answer = await fetch(source.src);
const figure = await this.figure();
const { title } = this.given.sizes[0].description;
const words = { title, figure: figure.outerHTML, script: await answer.text() };
hand(this.given.page.replace(/@(title|figure|script)@/g, (_, name) => words[name]), "automaton.html", "text/html");
this.setTraining(false, "Saved: automaton.html, a page of its own that needs no network.");
} catch {
this.tell("Here the page cannot read its own script; open the published book, or save the weights.");
}
}
}
function atobBytes(text) {
return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}
